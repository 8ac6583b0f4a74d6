"""Files that settings name: refused in words before torch is there, hashed, and read as they were written."""

from __future__ import annotations

import hashlib
import io
import json
import shutil

import numpy as np
import OpenEXR
import pytest
import torch
from PIL import Image

from engine import refine, sources
from engine.errors import InvalidRequest
from engine.library import exr
from engine.material.maps import normalise_height
from engine.params import resolve
from engine.settings import RunSettings
from tests.engine import runs


def write(path, pixels):
    Image.fromarray(np.asarray(pixels, np.uint8)).save(path)
    return str(path)


@pytest.fixture
def picture(tmp_path):
    rows = np.random.default_rng(1).integers(0, 256, (128, 128, 3))
    return write(tmp_path / "picture.png", rows)


@pytest.fixture(scope="module")
def first(tiny_pack, tmp_path_factory):
    """A result, and the settings that it was made with."""
    settings = RunSettings(
        prompt="red bricks", pack="tiny", seed=5, variations=1, width=128, height=128, steps=1
    )
    folder = tmp_path_factory.mktemp("first")
    summary = runs.make(settings, folder, tiny_pack)
    return folder / summary["variations"][0]["sidecar"], settings


@pytest.fixture
def made(first, tmp_path):
    """The same for one test, which may change what is on disk."""
    sidecar, settings = first
    return shutil.copytree(sidecar.parent, tmp_path / "made") / sidecar.name, settings


def settings(**changes):
    return RunSettings(**{"prompt": "moss", "seed": 1, "width": 128, "height": 128, **changes})


def ask(**changes):
    return resolve({"prompt": "moss", "folder": "/tmp/x", **changes})


@pytest.mark.parametrize("name", ["image", "mask", "overlay", "alpha"])
@pytest.mark.parametrize(
    ("path", "said"),
    [("/no/such.png", "is not there"), ("here.png", "absolute path"), ("/a\0b", "absolute path")],
)
def test_a_file_that_is_not_there_is_named(name, path, said):
    with pytest.raises(InvalidRequest, match=said) as caught:
        ask(**{name: path})
    assert caught.value.field == name


def test_the_file_of_a_spot_is_named_too():
    with pytest.raises(InvalidRequest, match="'spots 2'") as caught:
        ask(spots=[{"prompt": "moss", "mask": __file__}, {"prompt": "moss", "mask": "/no/such.png"}])
    assert caught.value.field == "spots"


@pytest.mark.parametrize(
    "spot", [{"prompt": "moss"}, {"prompt": " ", "mask": "/x"}, {"prompt": "x", "mask": "/x", "weight": 99.0}]
)
def test_a_bad_spot_is_refused(spot):
    with pytest.raises(InvalidRequest) as caught:
        ask(spots=[spot])
    assert caught.value.field == "spots"


def test_a_start_that_would_ignore_the_picture_is_refused(picture):
    with pytest.raises(InvalidRequest, match="would not begin from 'image'") as caught:
        ask(image=picture, start="noise")
    assert (caught.value.remedy.setting, caught.value.remedy.value) == ("start", "auto")
    assert ask(image=picture, start="noise", mask=picture)[0].start == "noise"


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\nrubbish", b"{}"])
def test_what_is_no_picture_is_refused(tmp_path, content):
    (tmp_path / "x.png").write_bytes(content)
    with pytest.raises(InvalidRequest, match="cannot be read as a picture") as caught:
        sources.read(settings(mask=str(tmp_path / "x.png")))
    assert caught.value.field == "mask"


@pytest.mark.parametrize("name", ["image", "mask", "overlay", "alpha"])
@pytest.mark.parametrize("content", [b"", b"text", exr.MAGIC + b"rubbish"])
def test_what_is_no_picture_by_its_header_is_refused_with_the_request(tmp_path, name, content):
    """Before torch is there, and before anything else of the run is."""
    (tmp_path / "x.png").write_bytes(content)
    with pytest.raises(InvalidRequest, match="cannot be read as a picture") as caught:
        ask(**{name: str(tmp_path / "x.png")})
    assert caught.value.field == name


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b"\xff", b'{"settings": {}, "files": {}, "pack": {}}']
)
def test_what_is_no_result_is_refused(tmp_path, content):
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(InvalidRequest, match="is not the JSON file of a result"):
        sources.read(settings(image=str(tmp_path / "x.json")))


def test_pictures_are_cut_to_the_shape_and_scaled(tmp_path):
    wide = np.zeros((100, 300, 3))
    wide[:, 100:200] = 255  # the middle, which alone is kept
    read = sources.read(
        settings(image=write(tmp_path / "wide.png", wide), overlay=str(tmp_path / "wide.png"))
    )
    assert read.picture.shape == (3, 128, 128)
    assert read.picture.min() > 0.9
    assert read.overlay.shape == (4, 128, 128)
    assert read.overlay[3].min() == 1


def test_grey_of_16_bits_is_scaled_and_not_clipped(tmp_path):
    Image.fromarray(np.full((128, 128), 32768, np.uint16)).save(tmp_path / "x.png")
    read = sources.read(settings(image=str(tmp_path / "x.png"), overlay=str(tmp_path / "x.png")))
    assert read.picture.mean() == pytest.approx(0.5, abs=0.01)
    assert read.overlay[:3].mean() == pytest.approx(0.5, abs=0.01)


def test_white_is_1_in_a_mask_of_any_kind(tmp_path):
    half = np.zeros((128, 128))
    half[:, 64:] = 1
    files = {
        "grey": Image.fromarray((half * 255).astype(np.uint8)),
        "words": Image.fromarray((half * 65535).astype(np.uint16)),
        "bits": Image.fromarray((half * 255).astype(np.uint8)).convert("1"),
        "clear": Image.merge(
            "LA", [Image.new("L", (128, 128), 255), Image.fromarray((half * 255).astype("u1"))]
        ),
    }
    for name, file in files.items():
        file.save(tmp_path / f"{name}.png")
        mask = sources.read(settings(mask=str(tmp_path / f"{name}.png"))).mask
        assert torch.equal(mask[0], torch.from_numpy(half).float()), name


def test_the_sidecar_says_which_files_they_were(made, picture, tiny_pack, tmp_path):
    sidecar, of_result = made
    asked = of_result.model_copy(update={"image": str(sidecar), "mask": picture, "steps": 0})
    summary = runs.make(asked, tmp_path / "edit", tiny_pack)
    content = json.loads((tmp_path / "edit" / summary["variations"][0]["sidecar"]).read_text("utf-8"))
    digest = hashlib.sha256((tmp_path / "picture.png").read_bytes()).hexdigest()
    assert content["inputs"]["mask"] == digest
    before = sources.hashes(asked)
    base = sidecar.with_name(json.loads(sidecar.read_text())["files"]["basecolor"])
    base.write_bytes(base.read_bytes() + b"more")
    assert sources.hashes(asked)["inputs"]["image"] != before["inputs"]["image"], "its pictures count"
    assert "inputs" not in json.loads(sidecar.read_text())


def test_a_result_is_read_as_it_was_written(made, tiny_pack):
    sidecar, _ = made
    stored = sources.result(sidecar)
    content = json.loads(sidecar.read_text())
    assert (stored.seed, stored.origin) == (5, content["origin"])
    assert stored.sha256 == tiny_pack.hashes
    assert stored.maps.relief.tolist() == pytest.approx([content["relief"]])
    with Image.open(sidecar.with_name(content["files"]["height"])) as height:
        assert torch.equal(stored.maps.height[0, 0], torch.from_numpy(np.asarray(height, np.float32) / 65535))
    torch.testing.assert_close(normalise_height(stored.maps).height, stored.maps.height)


def test_what_glows_is_read_with_its_light(tmp_path, made):
    sidecar, _ = made
    content = json.loads(sidecar.read_text())
    base = sidecar.with_name(content["files"]["basecolor"])
    glow = sidecar.with_name("glow.png")
    with Image.open(base) as picture:
        picture.save(glow)  # gives off all of its colour
    sidecar.write_text(json.dumps({**content, "files": {**content["files"], "emission": glow.name}}))
    assert sources.result(sidecar).maps.emission.median() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("mode", ["RGBA", "P", "L"])
def test_maps_that_somebody_saved_in_another_mode_are_read_as_what_they_are(made, mode):
    sidecar, _ = made
    files = json.loads(sidecar.read_text())["files"]
    for kind in ("basecolor", "roughness"):
        with Image.open(sidecar.with_name(files[kind])) as picture:
            picture.convert(mode).save(sidecar.with_name(files[kind]))
    maps = sources.result(sidecar).maps
    assert (maps.basecolor.shape, maps.roughness.shape) == ((1, 3, 128, 128), (1, 1, 128, 128))


def test_a_result_whose_pictures_differ_in_size_is_refused(made):
    sidecar, _ = made
    base = sidecar.with_name(json.loads(sidecar.read_text())["files"]["basecolor"])
    with Image.open(base) as picture:
        picture.resize((64, 64)).save(base)
    with pytest.raises(InvalidRequest, match="has pictures of different sizes"):
        sources.result(sidecar)


def test_a_result_without_its_pictures_is_refused(made):
    sidecar, _ = made
    sidecar.with_name(json.loads(sidecar.read_text())["files"]["roughness"]).unlink()
    with pytest.raises(InvalidRequest, match="has lost its roughness picture"):
        sources.result(sidecar)


def test_an_edit_keeps_the_bytes_of_what_is_black(made, tiny_pack, tmp_path):
    """From file to file: base colour outside the mask and its border."""
    sidecar, of_result = made
    mask = np.zeros((128, 128))
    mask[40:80, :30] = 255
    asked = of_result.model_copy(
        update={
            "image": str(sidecar),
            "mask": write(tmp_path / "mask.png", mask),
            "start": "exemplar",
            "seed": 9,
        }
    )
    edited = runs.make(asked, tmp_path / "edit", tiny_pack)["variations"][0]["files"]
    kept = np.roll(mask, 20, 1)[:, :] == 0
    kept[20:100, :60] = kept[20:100, -20:] = False
    for kind, name in json.loads(sidecar.read_text())["files"].items():
        if kind in {"basecolor", "height", "roughness", "metallic"}:
            with (
                Image.open(sidecar.with_name(name)) as old,
                Image.open(tmp_path / "edit" / edited[kind]) as new,
            ):
                assert (np.asarray(old)[kept] == np.asarray(new)[kept]).all(), kind
                assert kind == "metallic" or (np.asarray(old) != np.asarray(new)).any(), kind


# --- refine --------------------------------------------------------------------------------------


def test_refine_takes_the_settings_of_the_result(made):
    sidecar, of_result = made
    asked, delivery = refine.resolve({"sidecar": str(sidecar), "folder": "/tmp/x", "steps": 7})
    assert asked == of_result.model_copy(
        update={"image": str(sidecar), "steps": 7, "templates": asked.templates}
    )
    assert delivery.folder == "/tmp/x"
    twice, _ = refine.resolve({"sidecar": str(sidecar), "folder": "/tmp/x", "scale": 2, "prompt": "moss"})
    assert (twice.width, twice.height, twice.prompt, twice.start) == (256, 256, "moss", "auto")


@pytest.mark.parametrize(
    ("asked", "start"),
    [
        ({"prompt": "green moss"}, "exemplar"),
        ({"prompt": "green moss", "start": "auto"}, "auto"),
        ({}, "auto"),
        ({"prompt": "green moss", "mask": ""}, "auto"),
    ],
    ids=["other words", "as asked", "same words", "no mask"],
)
def test_a_masked_part_begins_as_its_own_words_would(made, picture, asked, start):
    sidecar, _ = made
    edit = {"sidecar": str(sidecar), "folder": "/tmp/x", "pack": "starter", "mask": picture}
    resolved, _ = refine.resolve({**edit, **asked})
    assert resolved.start == start


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"sidecar": "here.json"}, "sidecar"),
        ({"sidecar": "/no/such.json"}, "sidecar"),
        ({"sidecar": 3}, "sidecar"),
        ({"scale": 3}, "scale"),
        ({"scale": True}, "scale"),
        ({"stepz": 3}, "stepz"),
    ],
)
def test_a_bad_refine_request_names_its_field(made, wrong, field):
    with pytest.raises(InvalidRequest) as caught:
        refine.resolve({"sidecar": str(made[0]), "folder": "/tmp/x", **wrong})
    assert caught.value.field == field


def test_a_result_too_large_to_double_is_refused_with_its_side(made):
    sidecar, _ = made
    content = json.loads(sidecar.read_text())
    content["settings"]["width"] = 2048
    sidecar.write_text(json.dumps(content))
    with pytest.raises(InvalidRequest, match="'width' must be between 128 and 2048"):
        refine.resolve({"sidecar": str(sidecar), "folder": "/tmp/x", "scale": 2})


@pytest.mark.parametrize("scale", [1, 2])
def test_a_refined_result_can_be_refined_again(made, tiny_pack, tmp_path, scale):
    sidecar, _ = made
    for turn in ("one", "two"):
        asked, _ = refine.resolve({"sidecar": str(sidecar), "folder": "/tmp/x", "scale": scale})
        variation = runs.make(asked, tmp_path / turn, tiny_pack)["variations"][0]
        sidecar = tmp_path / turn / variation["sidecar"]
        assert variation["origin"].startswith("exemplar ")
    with Image.open(sidecar.with_name(variation["files"]["basecolor"])) as last:
        assert last.size == (128 * scale**2, 128 * scale**2)


def test_a_decal_has_an_alpha_picture_more(tiny_pack, tmp_path):
    asked = settings(pack="tiny", variations=1, steps=0, decal=0.3, seed=5)
    files = runs.make(asked, tmp_path, tiny_pack)["variations"][0]["files"]
    with Image.open(tmp_path / files["alpha"]) as alpha:
        assert (alpha.mode, alpha.size) == ("L", (128, 128))
    again = runs.make(asked.model_copy(update={"decal": 0.0}), tmp_path, tiny_pack)
    assert "alpha" not in again["variations"][0]["files"]
    assert not list(tmp_path.glob("*alpha*"))


def test_an_exr_picture_begins_as_a_screen_shows_it_and_a_mask_as_it_is(tmp_path):
    """0.2158605 of light is half of sRGB, as the library has it; what is brighter than white is white."""
    path = tmp_path / "a.exr"
    path.write_bytes(exr_file(np.float32([[[0.2158605, 0, 7]]]).repeat(128, 0).repeat(128, 1)))
    read = sources.read(settings(image=str(path), mask=str(path), overlay=str(path)))
    assert read.picture[:, 5, 5].tolist() == pytest.approx([0.5, 0, 1], abs=1 / 255)
    assert read.overlay[:3, 5, 5].tolist() == pytest.approx([0.5, 0, 1], abs=1 / 255)
    grey = 0.299 * 0.2158605 + 0.114  # of numbers, not of colours
    assert float(read.mask[0, 5, 5]) == pytest.approx(grey, abs=2 / 255)


def test_the_alpha_of_an_exr_picture_is_alpha_and_its_colours_are_no_longer_multiplied_by_it(tmp_path):
    path, pixels = tmp_path / "a.exr", np.zeros((128, 128, 4), np.float32)
    pixels[:64] = 0.2158605 * 0.5, 0, 0.5, 0.5  # half there; below there is nothing
    path.write_bytes(exr_file(pixels, "RGBA"))
    read = sources.read(settings(image=str(path), mask=str(path), overlay=str(path)))
    assert read.overlay[:, 5, 5].tolist() == pytest.approx([0.5, 0, 1, 0.5], abs=1 / 255)
    assert read.overlay[:, 99, 5].tolist() == [0, 0, 0, 0]
    assert read.picture[:, 5, 5].tolist() == pytest.approx([0.5, 0, 1], abs=1 / 255)
    grey = 0.299 * 0.2158605 * 0.5 + 0.114 * 0.5  # what is transparent of a mask is black
    assert float(read.mask[0, 5, 5]) == pytest.approx(grey, abs=2 / 255)
    assert float(read.mask[0, 99, 5]) == 0


@pytest.mark.parametrize("keep", [4, 40, -30])
def test_a_torn_exr_picture_is_refused_by_the_name_of_its_setting(tmp_path, keep):
    path = tmp_path / "a.exr"
    path.write_bytes(exr_file(np.zeros((64, 64, 3), np.float32))[:keep])
    with pytest.raises(InvalidRequest, match="cannot be read as a picture") as caught:
        sources.read(settings(image=str(path)))
    assert caught.value.field == "image"


def exr_file(pixels, channels="RGB"):
    out = io.BytesIO()
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    with OpenEXR.File(header, {channels: pixels}) as file:
        file.write(out)
    return out.getvalue()
