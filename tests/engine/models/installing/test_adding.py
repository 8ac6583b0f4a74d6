"""Networks of the user's own become a pack, with the starter's for what is not named."""

from __future__ import annotations

import json

import open_clip
import pytest
from safetensors.torch import save_file

from engine.errors import BadWeights, InvalidRequest, UnknownPack
from engine.models import clips, extra, install, packs
from tests.engine.models import tiny
from tests.engine.models.checkpoints import published
from tests.engine.models.fileserver import FileServer, Served, settle_hub
from tests.engine.models.tiny import CPU, deaf, write_clip


def test_a_checkpoint_of_the_users_becomes_a_pack(server, own, tmp_path):
    info = install.add("mine", tmp_path / "x.ckpt", None, "tiny", "tiny", deaf)
    assert "256 of 256 codes" in info.description and not info.generator.verified
    assert packs.load("mine", CPU).hashes["guide"]
    assert all(error is None for _, error in install.verify("mine"))


def test_open_clips_names_as_guide_and_a_folder_as_judge(server, own, tmp_path, monkeypatch):
    settle_hub(monkeypatch, server.url, tmp_path / "cache")
    pickled = tiny.old_pickle(open_clip.CLIP(**tiny.CLIP).state_dict())
    server.files["/laion/tiny-clip/open_clip_pytorch_model.bin"] = Served(pickled)
    folder = tmp_path / "judge"
    clips.write(folder, clips.config_of("tiny-clip", "quick"), write_clip(tmp_path / "c.safetensors"))
    info = install.add("mine", tmp_path / "x.ckpt", None, "tiny-clip:quick", str(folder), deaf)
    assert info.guide.origin == "hub:laion/tiny-clip/open_clip_pytorch_model.bin@main"  # no safetensors there
    assert info.judge.origin == str(folder)


def test_clips_and_the_estimator_of_maps_are_the_starters_by_default(own, tmp_path):
    """So that a picture's VQGAN makes materials at once, without a network."""
    _, _, state = published.parity("vqgan_small")
    published.write_ckpt(tmp_path / "x.ckpt", state)
    starter = packs.entries()["starter"]
    info = install.add("mine", tmp_path / "x.ckpt", None, "starter", "starter", deaf)
    assert info.estimator.sha256 == starter.estimator.sha256
    pack = packs.load("mine", CPU)
    assert pack.estimator is not None and pack.guide.known is not None
    assert all(error is None for _, error in install.verify("mine"))


@pytest.mark.usefixtures("known_clip")
def test_the_starters_generator_with_a_checkpoint_as_guide_begins_from_its_materials(own, tmp_path):
    """Their keys are in the space of the guide that was: they are named anew in that of the new one."""
    file = write_clip(tmp_path / "c.safetensors")
    starter = packs.entries()["starter"]
    info = install.add("mine", None, None, f"tiny-clip:{file}", "starter", deaf)
    assert info.channels == starter.channels and info.prior is None
    assert info.generator.sha256 == starter.generator.sha256 and info.judge.origin == "pack:starter"
    assert info.guide.origin == str(file)
    assert "guided by tiny-clip:c.safetensors, judged by starter" in info.description
    pack, before = packs.load("mine", CPU), packs.read_exemplars(starter.exemplars)
    assert pack.exemplars.names == before.names
    assert pack.exemplars.keys.shape == (len(before.names), tiny.CLIP["embed_dim"])
    name = before.names[3]
    found, _ = pack.exemplars.near(pack.guide.encode_text([name])[0], 5)
    assert name in [before.names[i] for i in found]
    assert all(error is None for _, error in install.verify("mine"))


@pytest.mark.usefixtures("known_clip")
def test_the_starters_with_another_judge_is_otherwise_the_starter(own, tmp_path, monkeypatch):
    server = FileServer()
    settle_hub(monkeypatch, server.url, tmp_path / "cache")
    server.files["/laion/tiny-clip/open_clip_model.safetensors"] = Served(tiny.clip_weights())
    try:
        info = install.add("mine", None, None, "starter", "tiny-clip:quick", deaf)
    finally:
        server.close()
    starter = packs.entries()["starter"]
    for role in ("generator", "prior", "exemplars", "estimator"):
        assert info.files()[role].sha256 == starter.files()[role].sha256, role
    assert packs.load("mine", CPU).judge.size_px == tiny.CLIP["vision_cfg"]["image_size"]
    assert extra.load("tiny-clip:quick", CPU).sha256 == info.judge.sha256  # so --guide finds it, too
    extra.load.cache_clear()


def test_a_configuration_without_a_generator_is_none(own, tmp_path):
    with pytest.raises(InvalidRequest, match="none was named") as error:
        install.add("mine", None, tmp_path / "x.yaml", "starter", "starter", deaf)
    assert error.value.field == "config"


@pytest.mark.usefixtures("server")
def test_without_the_starter_a_generator_must_be_named(own):
    with pytest.raises(UnknownPack, match="no other generator was named"):
        install.add("mine", None, None, "tiny", "tiny", deaf)
    assert not list((own / "packs").glob("*"))


def test_a_folder_of_diffusers(server, own, tmp_path):
    (tmp_path / "vqvae").mkdir()
    save_file(
        published.fill(published.diffusers_shapes()), tmp_path / "vqvae/diffusion_pytorch_model.safetensors"
    )
    config = {"block_out_channels": [32, 64], "num_vq_embeddings": 41}
    (tmp_path / "vqvae/config.json").write_text(json.dumps(config))
    with pytest.raises(BadWeights, match="'n_embed' is 40"):  # so it was found and read
        install.add("mine", tmp_path / "vqvae", None, "tiny", "tiny", deaf)
    (tmp_path / "vqvae/config.json").write_text(json.dumps({**config, "num_vq_embeddings": 40}))
    install.add("mine", tmp_path / "vqvae", None, "tiny", "tiny", deaf)


@pytest.mark.parametrize(
    ("pack", "guide", "field", "said"),
    [
        ("../evil", "tiny", "name", "no name for a pack"),
        ("Mine", "tiny", "name", "small letters"),
        ("tiny", "tiny", "name", "already"),
        ("toy", "tiny", "name", "already"),
        ("mine", "no-such", "guide", "knows no model 'no-such'"),
        ("mine", "tiny-clip:huge", "guide", "comes as quick"),
        ("mine", f"tiny-clop:{__file__}", "guide", "Did you mean 'tiny-clip'"),
        ("mine", "ViT-B-16-SigLIP:webli", "guide", "transformers"),
    ],
)
def test_what_cannot_be_added(server, own, tmp_path, pack, guide, field, said):
    with pytest.raises(InvalidRequest, match=said) as error:
        install.add(pack, tmp_path / "x.ckpt", None, guide, "tiny", deaf)
    assert error.value.field == field
    assert not list((own / "packs").glob("*"))


def test_no_such_file(server, tmp_path):
    with pytest.raises(InvalidRequest, match="There is no file"):
        install.add("mine", tmp_path / "none.ckpt", None, "tiny", "tiny", deaf)
    with pytest.raises(InvalidRequest, match="Choose the file itself"):
        install.add("mine", tmp_path / "packs", None, "tiny", "tiny", deaf)
