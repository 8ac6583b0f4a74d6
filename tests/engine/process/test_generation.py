"""The job between settings and files, over a synthesis that only pretends."""

from __future__ import annotations

import hashlib
import json
from functools import partial
from types import SimpleNamespace

import pytest
import torch
from PIL import Image

from engine.compute import Compute
from engine.errors import BadWeights, Cancelled, CannotWrite, InvalidRequest
from engine.generation import Models
from engine.material.maps import DecodedMaps
from engine.settings import PicturePrompt, RunSettings
from engine.synthesis.phase import Phase
from engine.synthesis.ranking import rank
from engine.synthesis.run import Synthesis
from tests.engine import runs

SETTINGS = RunSettings(prompt="Red bricks!", seed=5, width=256, height=128, variations=2, steps=3)
CPU = Compute(torch.device("cpu"), torch.float32)
PACK = SimpleNamespace(id="starter", hashes={"guide": "ab"}, compute=CPU, guide=None, step_px=8)


def noise(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(1))


def pretend(s, _pack, _inputs, *, glowing=(), **_files):
    yield Phase("propose", 1, 1)
    for step in range(1, s.steps + 1):
        yield Phase("guide", step, s.steps, loss=1 / step, picture=noise(s.variations, 3, s.height, s.width))
    yield Phase("rank", 1, 1)
    one = noise(s.variations, 1, s.height, s.width)
    maps = DecodedMaps(
        noise(s.variations, 3, s.height, s.width), one, one, one, 0 * one, torch.full((s.variations,), 0.05)
    )
    maps.emission[list(glowing)] = 1.0
    scores, looks = torch.tensor([0.25, 0.5]), torch.eye(2)
    ranking = rank(scores, looks, maps, s.tile)
    origins, warnings = ["prior", "exemplar 3: moss"], ["That was easy."]
    return Synthesis(maps, [5, 6], origins, scores / 2, scores, looks, ranking, warnings)


def see(_clip, maps):
    """What there is to see is the business of tests/engine/library/test_results.py."""
    return SimpleNamespace(facts=lambda: {"tags": [], "badges": {"mean": float(maps.basecolor.mean())}})


def run(folder, **more):
    return runs.make(SETTINGS, folder, PACK, **{"synthesize": pretend, "look": see, **more})


def test_the_summary_ranks_the_variations_and_names_their_files(tmp_path):
    summary = run(tmp_path / "new" / "folder")
    assert summary == json.loads((tmp_path / "new" / "folder" / "summary.json").read_text("utf-8"))
    assert [(v["rank"], v["judge_score"], v["seed"]) for v in summary["variations"]] == [
        (1, 0.5, 6),
        (2, 0.25, 5),
    ]
    assert [v["origin"] for v in summary["variations"]] == ["exemplar 3: moss", "prior"]
    assert summary["settings"] == SETTINGS.model_dump(mode="json")
    assert summary["warnings"] == ["That was easy."]
    assert summary["diversity"] == 2
    assert summary["memory"]["estimated"] is None  # of a synthesis that pretends
    assert summary["memory"]["used"] is None or summary["memory"]["used"] >= 0
    assert [v["gap"] for v in summary["variations"]] == [-0.25, -0.125]
    assert [v["repeats"] for v in summary["variations"]] == [None, None]
    assert all(v["artefacts"] == ["noisy"] or "speckled" in v["artefacts"] for v in summary["variations"])
    assert set(summary["seconds"]) == {"load", "propose", "guide", "rank", "maps", "write", "total"}
    for v in summary["variations"]:
        assert set(v["files"]) == {"basecolor", "normal_gl", "roughness", "metallic", "height", "ao"}
        for kind, name in v["files"].items():
            assert name == f"red_bricks_v{v['rank']}_{kind}.png"
            with Image.open(tmp_path / "new" / "folder" / name) as picture:
                assert picture.size == (256, 128)
        sidecar = json.loads((tmp_path / "new" / "folder" / v["sidecar"]).read_text("utf-8"))
        assert sidecar["settings"] == summary["settings"]
        assert sidecar["pack"] == {"id": "starter", "sha256": {"guide": "ab"}}
        assert set(sidecar["versions"]) == {"patina", "python", "torch", "open_clip", "kornia"}
        assert {name: sidecar[name] for name in v if name != "sidecar"} == {
            name: value for name, value in v.items() if name != "sidecar"
        }


def test_what_glows_has_a_map_more_and_the_others_have_not(tmp_path):
    """Variation 1 is rank 1; summary and sidecar name the file."""
    summary = run(tmp_path, synthesize=partial(pretend, glowing=[1]))
    glowing, dull = (v["files"] for v in summary["variations"])
    assert set(glowing) - set(dull) == {"emission"}
    assert (
        [p.name for p in tmp_path.glob("*emission*")]
        == [glowing["emission"]]
        == ["red_bricks_v1_emission.png"]
    )
    for v in summary["variations"]:
        assert json.loads((tmp_path / v["sidecar"]).read_text("utf-8"))["files"] == v["files"]


def test_equal_runs_write_equal_bytes(tmp_path):
    for name in "ab":
        run(tmp_path / name)
    contents = [
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir() if path.name != "summary.json"}
        for name in "ab"
    ]
    assert len(contents[0]) == 2 * 7
    assert contents[0] == contents[1]


def test_pictures_reach_the_synthesis_and_the_sidecar_tells_them_by_their_hashes(tmp_path):
    """The settings of a sidecar make the same again, and refuse another picture under the same name."""
    path, seen = tmp_path / "p.png", []
    Image.new("RGB", (5, 3), (255, 0, 51)).save(path)
    asked = SETTINGS.model_copy(update={"pictures": (PicturePrompt(path=str(path), weight=0.5),)})

    def watched(s, pack, inputs, **files):
        seen.append(inputs.pictures)
        return (yield from pretend(s, pack, inputs, **files))

    def go(settings, out):
        return runs.make(settings, tmp_path / out, PACK, synthesize=watched, look=see)

    first = go(asked, "a")["variations"][0]["sidecar"]
    stored = json.loads((tmp_path / "a" / first).read_text("utf-8"))["settings"]
    assert stored["pictures"][0]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    go(RunSettings.model_validate(stored), "b")
    assert (tmp_path / "a" / first).read_bytes() == (tmp_path / "b" / first).read_bytes()
    assert [p[0].shape for p in seen] == [(3, 3, 5)] * 2
    assert seen[0][0][:, 1, 2].tolist() == pytest.approx([1, 0, 0.2])
    Image.new("RGB", (5, 3)).save(path)
    with pytest.raises(InvalidRequest, match=r"p\.png is not the picture that it was") as caught:
        go(RunSettings.model_validate(stored), "c")
    assert caught.value.field == "pictures"


def test_files_are_called_by_what_is_wanted(tmp_path):
    several = SETTINGS.model_copy(update={"prompt": "red bricks | wet:0.4 | text:-0.5"})
    runs.make(several, tmp_path, PACK, synthesize=pretend, look=see)
    assert (tmp_path / "red_bricks_wet_v1.json").exists()


def test_progress_goes_through_all_phases(tmp_path):
    seen = []
    run(tmp_path, on_progress=seen.append)
    assert list(dict.fromkeys(p.phase for p in seen)) == ["load", "propose", "guide", "rank", "maps", "write"]
    guided = [p for p in seen if p.phase == "guide"]
    assert [(p.step, p.total, p.loss) for p in guided] == [(1, 3, 1), (2, 3, 1 / 2), (3, 3, 1 / 3)]
    assert all(p.steps_per_second > 0 and p.seconds_left >= 0 for p in guided)


def test_previews_are_small_raw_pictures_and_not_too_many(tmp_path):
    seen = []
    run(tmp_path, on_preview=lambda *news: seen.append(news))
    assert seen == [
        (0, "preview_0.rgba", 256, 128),
        (1, "preview_1.rgba", 256, 128),
    ]  # of the first step alone
    assert (tmp_path / "preview_1.rgba").stat().st_size == 256 * 128 * 4


def test_cancel_takes_effect_after_the_step_that_is_under_way(tmp_path):
    steps = []
    closed = []

    def watched(s, *rest, **files):
        try:
            return (yield from pretend(s, *rest, **files))
        finally:
            closed.append(True)

    with pytest.raises(Cancelled):
        run(
            tmp_path,
            synthesize=watched,
            keep_on_cancel=False,
            on_progress=lambda p: steps.append((p.phase, p.step)),
            should_stop=lambda: ("guide", 2) in steps,
        )
    assert steps[-1] == ("guide", 2)
    assert closed == [True]  # its tensors are free again
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_takes_no_files_is_told_before_the_work(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CannotWrite) as caught:
        run(tmp_path / "file" / "folder", load=lambda *_: pytest.fail("too late"))
    assert caught.value.field == "folder"


def test_a_pack_stays_in_memory_until_another_is_wanted(monkeypatch):
    loaded = []

    def load(pack_id, chosen):
        if pack_id == "bad":
            raise BadWeights("damaged")
        loaded.append(pack_id)
        return SimpleNamespace(id=pack_id, compute=chosen)

    monkeypatch.setattr("engine.models.packs.load", load)
    models = Models()
    assert models.load("a", "cpu") is models.load("a", "cpu")
    models.load("b", "cpu")
    with pytest.raises(BadWeights):
        models.load("bad", "cpu")
    models.load("b", "cpu")
    assert loaded == ["a", "b", "b"]  # the bad one made the good one go; it comes back


def test_a_guide_is_that_of_the_pack_in_memory_or_one_of_its_own(monkeypatch):
    """Searching with one pack while another one makes a picture must not load the first one whole."""
    guides = []

    def load_guide(pack_id, chosen):
        guides.append(pack_id)
        return SimpleNamespace(name=pack_id, compute=chosen)

    monkeypatch.setattr(
        "engine.models.packs.load",
        lambda pack_id, chosen: SimpleNamespace(id=pack_id, compute=chosen, guide=f"guide of {pack_id}"),
    )
    monkeypatch.setattr("engine.models.packs.load_guide", load_guide)
    models = Models()
    assert models.guide("a", "cpu") is models.guide("a", "cpu")
    pack = models.load("b", "cpu")
    assert models.guide("b", "cpu") == "guide of b"
    assert models.guide("a", "cpu").name == "a"
    assert models.load("b", "cpu") is pack  # it was not sent away
    assert guides == ["a"]
