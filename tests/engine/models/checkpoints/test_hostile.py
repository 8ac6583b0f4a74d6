"""Files that are broken or mean harm: refused in a sentence, with nothing run and nothing written."""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import zipfile

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis.strategies import binary, integers
from safetensors.torch import save_file

from engine.errors import BadWeights
from engine.models.checkpoints import msgpack, reading
from engine.models.checkpoints.convert import convert
from tests.engine.models.checkpoints import published

SMALL = published.fill(published.diffusers_shapes())


def refused(path, match, config=None):
    """Converting says so, and leaves nothing behind."""
    out = path.parent / "out"
    out.mkdir(exist_ok=True)
    with pytest.raises(BadWeights, match=match) as error:
        convert(path, config, out)
    assert list(out.iterdir()) == []
    assert error.value.message.endswith(".")
    return error.value


class Runs:
    """A pickle of this runs a command where it is loaded without care."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return os.system, (f"echo ran > {self.trace}",)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "before 1.6"])
def test_a_pickle_that_runs_is_not_run(tmp_path, zipped):
    trace, path = tmp_path / "trace", tmp_path / "last.ckpt"
    torch.save({"state_dict": {**SMALL, "x": Runs(trace)}}, path, _use_new_zipfile_serialization=zipped)
    refused(path, "could be code")
    assert not trace.exists()
    pickle.loads(pickle.dumps(Runs(trace)))  # so this test can fail: loaded without care, it does run
    assert trace.exists()


def test_a_trainers_class_is_a_label_and_never_the_class_itself(tmp_path):
    """Even if a package of that name is installed, nothing of it is imported or called."""
    called = []
    kind = type("ModelCheckpoint", (), {"__module__": "pytorch_lightning.callbacks.model_checkpoint"})
    kind.__reduce__ = lambda self: (kind, ())
    kind.__init__ = lambda self: called.append(self)  # noqa: PLW0108  # binds, unlike the method
    with published.Importable(kind):
        torch.save({"state_dict": SMALL, "callback": kind()}, tmp_path / "last.ckpt")
        called.clear()
        state = reading.read(tmp_path / "last.ckpt")
    assert called == []
    assert set(state) == set(SMALL)


def test_every_way_to_cut_a_file_short(tmp_path):
    torch.save({"state_dict": SMALL}, tmp_path / "whole.ckpt")
    save_file(SMALL, tmp_path / "whole.safetensors")
    tree = published.flax_tree(published.parity("vqgan_small")[2])
    (tmp_path / "whole.msgpack").write_bytes(published.msgpack(tree))
    torch.save(SMALL, tmp_path / "old.ckpt", _use_new_zipfile_serialization=False)
    for whole in (tmp_path / n for n in ("whole.ckpt", "whole.safetensors", "whole.msgpack", "old.ckpt")):
        data = whole.read_bytes()
        for size in (0, 10, 70, len(data) // 2, len(data) - 1):
            cut = tmp_path / f"cut{whole.suffix}"
            cut.write_bytes(data[:size])
            refused(cut, "cut short|could be code|no weights|empty")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            b"<!DOCTYPE html><html><head><title>404</title></head><body>not here</body></html>",
            "is a web page",
        ),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64, "Git LFS"),
        (b"just some text that is long enough to be looked at, but no weights at all", "no weights file"),
        (b"PK\x03\x04" + bytes(100), "cut short or damaged"),
        (struct.pack("<Q", 1 << 60) + b"{" + bytes(100), "cut short or damaged"),
    ],
)
def test_what_is_no_weights_at_all(tmp_path, data, said):
    (tmp_path / "last.ckpt").write_bytes(data)
    refused(tmp_path / "last.ckpt", said)


def test_a_zip_bomb(tmp_path):
    """Fifty megabytes of zeros in fifty kilobytes: PyTorch never compresses."""
    torch.save({"state_dict": SMALL}, tmp_path / "last.ckpt")
    with zipfile.ZipFile(tmp_path / "last.ckpt", "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data/999", bytes(50 << 20))
    assert (tmp_path / "last.ckpt").stat().st_size < 5 << 20
    refused(tmp_path / "last.ckpt", "unpacks to more than it holds")


def test_names_that_lead_out_of_an_archive(tmp_path):
    with zipfile.ZipFile(tmp_path / "last.ckpt", "w") as archive:
        archive.writestr("archive/../../escaped", b"x" * 100)
        archive.writestr("archive/data.pkl", pickle.dumps({"state_dict": {}}, 2))
    refused(tmp_path / "last.ckpt", "lead out of it")
    assert not (tmp_path.parent / "escaped").exists()


def test_a_tensor_that_claims_more_than_the_file_holds(tmp_path):
    """Strides of zero make terabytes of one number: shapes are looked at before anything is copied."""
    whole = published.parity("vqgan_small")[2]
    huge = {**whole, "quantize.embedding.weight": torch.ones(1).expand(1 << 40, 64)}
    torch.save({"state_dict": huge}, tmp_path / "last.ckpt")
    refused(tmp_path / "last.ckpt", "architecture that no VQGAN has")
    large = {**whole, "quantize.embedding.weight": torch.ones(1).expand(1 << 18, 64)}
    torch.save({"state_dict": large}, tmp_path / "last.ckpt")
    refused(tmp_path / "last.ckpt", "claims more weights than it holds")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_no_numbers(tmp_path, value):
    state = {k: v.clone() for k, v in SMALL.items()}
    state["decoder.conv_out.weight"][0, 0, 0, 0] = value
    save_file(state, tmp_path / "x.safetensors")
    assert "decoder.conv_out.weight" in refused(tmp_path / "x.safetensors", "no numbers").message


def test_wrong_shapes_are_told_by_name(tmp_path):
    state = {**SMALL, "decoder.mid_block.resnets.0.conv1.weight": torch.zeros(7, 64, 3, 3)}
    save_file(state, tmp_path / "x.safetensors")
    refused(
        tmp_path / "x.safetensors", r"decoder\.mid\.block_1\.conv1\.weight of \[7, 64, 3, 3\] where \[64,"
    )


def test_missing_and_foreign_weights(tmp_path):
    state = {k: v for k, v in SMALL.items() if k != "decoder.conv_out.bias"}
    save_file(state, tmp_path / "x.safetensors")
    refused(tmp_path / "x.safetensors", r"lacks decoder\.conv_out\.bias")
    save_file({"transformer.weight": torch.ones(30, 3)}, tmp_path / "y.safetensors")
    refused(tmp_path / "y.safetensors", "no VQGAN that Patina knows")
    torch.save([torch.ones(3)], tmp_path / "z.ckpt")
    refused(tmp_path / "z.ckpt", "no weights by name")


def test_integer_weights(tmp_path):
    save_file({**SMALL, "quant_conv.bias": torch.ones(8, dtype=torch.int64)}, tmp_path / "x.safetensors")
    refused(tmp_path / "x.safetensors", r"quant_conv\.bias")


# --- Configurations ------------------------------------------------------------------------------


def test_a_yaml_of_another_checkpoint_names_the_field(tmp_path):
    """The third most frequent question of users: which yaml belongs to which ckpt."""
    _, config, state = published.parity("vqgan_small")
    torch.save({"state_dict": state}, tmp_path / "last.ckpt")
    published.write_yaml(tmp_path / "model.yaml", {**config, "n_embed": 1024})
    error = refused(tmp_path / "last.ckpt", "'n_embed' is 256 .* and 1024", tmp_path / "model.yaml")
    assert error.field == "config"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("c.yaml", "!!python/object/apply:os.system ['echo ran > {trace}']", "no configuration"),
        ("c.yaml", "a: [" * 5000, "no configuration"),
        ("c.yaml", "- just\n- a list", "no configuration"),
        ("c.yaml", "x" * (2 << 20), "too large"),
        ("c.yaml", "model: {params: {ddconfig: {double_z: true}}}", "'double_z'"),
        ("c.yaml", "model: {params: {ddconfig: {attn_resolutions: 3}}}", "wrong kind"),
        ("c.yaml", "model: {params: {ddconfig: {resolution: many}}}", "lacks parts"),
        ("c.json", '{"block_out_channels": [0, 0]}', "wrong kind"),
        ("c.json", '{"block_out_channels": 64}', "wrong kind"),
        ("c.json", '{"block_out_channels": [32, 64], "norm_type": "spatial"}', "'norm_type'"),
        ("c.json", '{"block_out_channels": [32, 64], "norm_num_groups": 7}', "no VQGAN has"),
        ("c.json", '{"resolution": -5}', "no VQGAN has"),
    ],
)
def test_configurations_that_nobody_published(tmp_path, name, text, said):
    trace = tmp_path / "trace"
    (tmp_path / name).write_text(text.replace("{trace}", str(trace)))
    save_file(SMALL, tmp_path / "x.safetensors")
    refused(tmp_path / "x.safetensors", said, tmp_path / name)
    assert not trace.exists()


# --- flax ----------------------------------------------------------------------------------------

# By msgpack 1.1: {"a": {"kernel": 0..5 (2, 3) float32, "bias": 0.5, -2 float16}, "n": {"scale": (0,)}}
GENUINE = (
    "82a16182a66b65726e656cc7260193920203a7666c6f61743332c418000000000000803f0000004000004040000080400000a040"
    "a462696173c71101939102a7666c6f61743136c404003800c0a16e81a57363616c65c70d01939100a7666c6f61743332c400"
)


def test_what_another_library_wrote(tmp_path):
    (tmp_path / "x.msgpack").write_bytes(bytes.fromhex(GENUINE))
    tree = msgpack.read(tmp_path / "x.msgpack")
    assert tree["a"]["kernel"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert tree["a"]["bias"].dtype == torch.float16 and tree["a"]["bias"].tolist() == [0.5, -2]
    assert tree["n"]["scale"].shape == (0,)


def test_bfloat16(tmp_path):
    wanted = torch.tensor([1.5, -3.0], dtype=torch.bfloat16)
    data = wanted.view(torch.int16).numpy().tobytes()
    body = published.msgpack([[2], "bfloat16", data])
    packed = published.msgpack({"a": {}})[:-1] + struct.pack(">BIb", 0xC9, len(body), 1) + body
    (tmp_path / "x.msgpack").write_bytes(packed)
    assert torch.equal(msgpack.read(tmp_path / "x.msgpack")["a"], wanted)


@pytest.mark.parametrize(
    "data",
    [
        b"\x81\xa1a" + b"\xdf\xff\xff\xff\xff",  # a map of 4 billion
        b"\x81\xa1a" + b"\xdd\xff\xff\xff\xff",  # a list of them
        b"\x81\xa1a" + b"\xc6\xff\xff\xff\xff",  # 4 GB of bytes
        b"\x81\xa1a" * 2000,  # nested without end
        b"\x81\x01\x01",  # a name that is a number
        b"\x81\xa1a\xc1",  # the byte that means nothing
        b"\x81\xa1a\xc7\x01\x05\x00",  # an extension that is no array
        b"\x81\xa1a\x01" + b"more",
        b"\x93\x01\x02\x03",
        published.msgpack({"a": np.ones(3, np.int64)}),
        published.msgpack({"a": np.ones(3, np.float32)}).replace(b"\x91\x03", b"\x91\x04"),  # one too many
    ],
)
def test_broken_flax_files(tmp_path, data):
    (tmp_path / "x.msgpack").write_bytes(data)
    with pytest.raises(BadWeights, match="flax file"):
        msgpack.read(tmp_path / "x.msgpack")


# --- Anything ------------------------------------------------------------------------------------


@given(position=integers(0, 2000), junk=binary(min_size=1, max_size=30))
def test_damage_anywhere_is_an_error_of_ours_or_none(tmp_path_factory, position, junk):
    """Whatever stands in a file: its weights, or a sentence. Never a crash of another kind."""
    folder = tmp_path_factory.mktemp("damaged")
    for name, data in whole_files().items():
        at = position * len(data) // 2001 if position % 2 else position % len(data)
        path = folder / name
        path.write_bytes(data[:at] + junk + data[at + len(junk) :])
        try:
            state = reading.read(path)
        except BadWeights as error:
            said = error.message
        else:
            said = "."
            assert all(isinstance(x, torch.Tensor) for x in state.values())
        assert said.endswith(".")


def whole_files(found={}):  # noqa: B006  # made once
    if not found:
        small = {"decoder.up.0.block.0.conv1.weight": torch.ones(4, 4), "b": torch.zeros(3)}
        for name, zipped in (("new.ckpt", True), ("old.ckpt", False)):
            stream = io.BytesIO()
            torch.save({"state_dict": small}, stream, _use_new_zipfile_serialization=zipped)
            found[name] = stream.getvalue()
        found["x.msgpack"] = published.msgpack({"decoder": {"a": np.ones((40, 2), np.float32)}})
        header = json.dumps({"a": {"dtype": "F32", "shape": [16], "data_offsets": [0, 64]}}).encode()
        found["x.safetensors"] = struct.pack("<Q", len(header)) + header + bytes(64)
    return found
