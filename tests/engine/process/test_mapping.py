"""`maps`: a picture becomes a map set on the disk that everything else takes for a result."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import ValidationError

from engine import sources
from engine.errors import Cancelled, UnreadablePicture
from engine.host import Host
from engine.mapping import run_maps
from engine.maps import Maps
from engine.models.estimator import Estimator, EstimatorConfig
from engine.params import invalid

MAPS = {"basecolor", "normal_gl", "roughness", "metallic", "height", "ao"}


@pytest.fixture
def picture(tmp_path):
    """A photograph of odd sides."""
    path = tmp_path / "My Wall (1).jpg"
    rng = np.random.default_rng(1)
    Image.fromarray(rng.integers(0, 256, (50, 70, 3), dtype=np.uint8)).save(path)
    return path


@pytest.fixture
def make(tiny_pack, picture, tmp_path):
    def make(pack=tiny_pack, out="maps", on_progress=lambda _: None, should_stop=lambda: False, **more):
        asked = Maps(**{"picture": str(picture), "folder": str(tmp_path / out), "pack": "tiny", **more})
        return run_maps(asked, Host(lambda *_: pack, on_progress, should_stop=should_stop))

    return make


@pytest.fixture
def estimating(tiny_pack):
    """The same pack with an estimator that has learnt nothing: it gives the picture itself, and flat maps."""
    estimator = Estimator(EstimatorConfig(ch=8, ch_mult=(1, 1), norm_groups=4)).eval()
    torch.nn.init.zeros_(estimator.conv_out.bias)
    return replace(tiny_pack, estimator=estimator)


def test_a_picture_gets_every_map_by_formula(make, tmp_path):
    answer = make()
    assert set(answer["files"]) == MAPS
    for name in answer["files"].values():
        assert name.startswith("my_wall_1_v1_")
        with Image.open(tmp_path / "maps" / name) as made:
            assert made.size == (70, 50)
    sidecar = json.loads((tmp_path / "maps" / answer["sidecar"]).read_text("utf-8"))
    assert sidecar["origin"] == "maps of My Wall (1).jpg"
    assert {"tags", "badges", "seam", "relief"} <= set(sidecar)


def test_an_estimator_works_in_its_own_multiples(make, estimating, tmp_path):
    answer = make(estimating)
    with Image.open(tmp_path / "maps" / answer["files"]["basecolor"]) as made:
        assert made.size == (72, 48)
        assert abs(float(np.asarray(made).mean()) - 127) < 10
    with Image.open(tmp_path / "maps" / answer["files"]["roughness"]) as made:
        assert float(np.asarray(made).mean()) == pytest.approx(128, abs=1)


def test_a_map_set_is_a_result_to_begin_from(make, tmp_path):
    answer = make()
    stored = sources.result(tmp_path / "maps" / answer["sidecar"])
    assert tuple(stored.maps.basecolor.shape) == (1, 3, 50, 70)
    assert stored.origin == "maps of My Wall (1).jpg"


def test_equal_requests_write_equal_bytes(make, tmp_path):
    make(out="a")
    make(out="b")
    contents = [{p.name: p.read_bytes() for p in (tmp_path / name).iterdir()} for name in "ab"]
    assert len(contents[0]) == len(MAPS) + 1
    assert contents[0] == contents[1]


def test_it_tells_how_far_it_is_and_stops_when_told(make, tmp_path):
    news = []
    make(on_progress=news.append)
    assert [(p.phase, p.step, p.total) for p in news] == [("maps", step, 4) for step in (1, 2, 3, 4)]
    with pytest.raises(Cancelled):
        make(out="never", should_stop=lambda: True)
    assert not (tmp_path / "never").exists()


def test_large_pictures_are_reduced(make, tmp_path):
    answer = make(longest_px=64)
    with Image.open(tmp_path / "maps" / answer["files"]["height"]) as made:
        assert made.size == (35, 25)


def test_what_is_no_picture_is_refused_by_name(make, picture):
    picture.write_bytes(b"nonsense")
    with pytest.raises(UnreadablePicture, match=r"My Wall \(1\)\.jpg is damaged"):
        make()
    picture.unlink()
    with pytest.raises(UnreadablePicture, match="is not there"):
        make()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"folder": "/x"}, "'picture' is missing"),
        ({"picture": "a.png", "folder": "/x"}, "'picture' must be an absolute path"),
        ({"picture": "/a.png", "folder": "/x", "tile": "z"}, "'tile' must be one of"),
        ({"picture": "/a.png", "folder": "/x", "longest_px": 9}, "'longest_px' must be between 64 and 4096"),
    ],
)
def test_bad_requests_are_refused_by_field(given, said):
    with pytest.raises(ValidationError) as caught:
        Maps.model_validate(given)
    assert said in invalid(caught.value, Maps).message
