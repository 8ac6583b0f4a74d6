"""Qualities: what they fill, what they leave alone, and sizes that cannot be halved."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from engine import cli, cli_make, quality, remake
from engine.errors import InvalidRequest, Remedy
from engine.models import packs
from engine.params import resolve
from engine.settings import ExtraGuide, RunSettings
from tests.engine import runs

GOOD = {"prompt": "moss", "folder": "/tmp/x", "seed": 1, "device": "cpu"}


def made(**asked):
    return resolve({**GOOD, **asked})[0]


def sides(width, height, **more):
    return RunSettings(prompt="moss", seed=1, pack="classic", width=width, height=height, **more)


@pytest.mark.parametrize(
    ("width", "height", "field", "nearest"),
    [
        (264, 256, "width", 272),
        (256, 136, "height", 144),
        (280, 264, "width", 288),
    ],
)
def test_a_pack_of_f16_wants_whole_codes(width, height, field, nearest):
    with pytest.raises(InvalidRequest, match="'classic' makes pictures in steps of 16 pixels") as caught:
        quality.check_sides(sides(width, height), 16)
    assert caught.value.field == field and caught.value.remedy == Remedy(field, nearest)
    assert f"{nearest - 16} and {nearest}" in caught.value.message
    quality.check_sides(sides(width, height), 8)


def test_half_of_a_coarse_picture_is_of_whole_codes_too():
    quality.check_sides(sides(288, 288, coarse=True), 16)
    with pytest.raises(InvalidRequest, match="in steps of 64 pixels with the pack 'classic'") as caught:
        quality.check_sides(sides(288, 288, coarse=True), 32)
    assert caught.value.remedy == Remedy("coarse", value=False)


def test_a_size_between_the_steps_of_its_pack_is_refused_before_the_work(tmp_path):
    pack = SimpleNamespace(id="classic", step_px=16)
    with pytest.raises(InvalidRequest, match="The nearest are 256 and 272"):
        runs.make(sides(264, 256), tmp_path, pack)
    assert not list(tmp_path.iterdir())


def test_normal_is_the_defaults():
    assert made() == made(quality="normal") == RunSettings(prompt="moss", seed=1, templates=made().templates)


def test_qualities_take_ever_more():
    draft, normal, best = (made(quality=name) for name in ("draft", "normal", "best"))
    for name in ("steps", "cutouts", "judge_views"):
        assert getattr(draft, name) < getattr(normal, name) < getattr(best, name), name
    assert draft.candidates == normal.candidates < best.candidates
    assert best.quality == "best"


def test_what_is_asked_for_wins_and_so_does_the_preset(tmp_path):
    preset = {"format": 1, "label": "Test", "templates": ["{}"], "settings": {"steps": 7}}
    (tmp_path / "test.json").write_text(json.dumps(preset))
    found, _ = resolve({**GOOD, "preset": "test", "quality": "best", "cutouts": 3}, tmp_path)
    assert (found.steps, found.cutouts, found.candidates) == (7, 3, made(quality="best").candidates)


def test_best_is_large_only_where_that_takes_no_minutes():
    plain = RunSettings(prompt="moss", seed=1, quality="best")
    assert "width" not in quality.filled(set(), plain, gpu=False)
    on_gpu = quality.filled(set(), plain, gpu=True)
    assert (on_gpu["width"], on_gpu["height"], on_gpu["coarse"]) == (512, 512, True)
    assert "width" not in quality.filled({"height"}, plain, gpu=True), "what is asked for is not stretched"


def test_best_takes_all_guides_that_a_pack_offers_and_draft_its_own_alone(pack_root):
    """A costly one every third step; one whose pack is not here is left out, and nothing is forced."""
    entry = json.loads((pack_root / "catalog" / "tiny.json").read_text("utf-8"))
    offered = [{"name": "other", "weight": 0.5, "every": 3}, {"name": "away"}]
    for name, guides in (("tiny", offered), ("other", [])):
        entry |= {"id": name, "guides": guides}
        (pack_root / "catalog" / f"{name}.json").write_text(json.dumps(entry))
    packs.entries.cache_clear()
    guides = {name: made(pack="tiny", quality=name).guides for name in ("draft", "normal", "best")}
    costly = ExtraGuide(name="other", weight=0.5, every=3)
    assert guides == {"draft": (), "normal": (), "best": (costly,)}
    assert made(pack="tiny", quality="best", guides=[]).guides == ()
    assert made(pack="other", quality="best").guides == ()
    best = made(pack="tiny", quality="best")
    assert resolve({**best.model_dump(mode="json"), "folder": "/tmp/x", "device": "cpu"})[0] == best


@pytest.mark.parametrize(
    ("asked", "coarse"),
    [
        ({}, False),
        ({"width": 512, "height": 512}, True),
        ({"width": 512}, True),
        ({"width": 512, "height": 512, "coarse": False}, False),
        ({"width": 512, "height": 144}, False),
        ({"coarse": True}, True),
    ],
)
def test_large_pictures_begin_small_where_they_can(asked, coarse):
    assert made(**asked).coarse is coarse


@pytest.mark.parametrize("size", [(272, 256), (256, 128)])
def test_a_size_that_cannot_be_halved_is_refused_with_a_way_out(size):
    with pytest.raises(InvalidRequest, match="steps of 32") as caught:
        made(width=size[0], height=size[1], coarse=True)
    assert (caught.value.field, caught.value.remedy) == ("coarse", Remedy("coarse", value=False))


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"quality": "bset"}, "'quality' must be one of 'draft', 'normal', 'best'; \"bset\" was given."),
        ({"candidates": 17}, "'candidates' must be between 1 and 16; 17 was given."),
        ({"coarse": 1}, "'coarse' must be true or false; 1 was given."),
    ],
)
def test_bad_values_are_named(wrong, sentence):
    with pytest.raises(InvalidRequest) as caught:
        made(**wrong)
    assert caught.value.message == sentence


def test_what_was_resolved_resolves_to_itself():
    best = made(quality="best", width=512, height=512)
    assert resolve({**best.model_dump(mode="json"), "folder": "/tmp/x", "device": "cpu"})[0] == best


def test_older_results_are_made_again_as_they_were(tmp_path):
    """They do not say whether they began small, because nothing did."""
    old = made(width=512, height=512, coarse=False).model_dump(mode="json")
    del old["coarse"], old["candidates"], old["quality"]
    facts = {"files": {}, "pack": {"sha256": {}}, "relief": 0.1, "origin": "prior", "seed": 1}
    (tmp_path / "x.json").write_text(json.dumps({"format": 1, "settings": old, **facts}))
    settings, _ = remake.resolve({"sidecar": str(tmp_path / "x.json"), "folder": "/tmp/x"})
    assert (settings.coarse, settings.candidates) == (False, 1)


def test_the_shell_takes_it():
    options = cli.parser().parse_args(["generate", "moss", "--quality", "draft", "--candidates", "3"])
    assert (options.quality, options.candidates) == ("draft", 3)
    for written, coarse in (("--coarse", True), ("--no-coarse", False)):
        options = cli.parser().parse_args(["generate", "moss", "--size", "512", written])
        asked = cli_make.generate_params(options)
        assert made(**{**asked, "prompt": "moss"}).coarse is coarse
    assert "coarse" not in cli_make.generate_params(cli.parser().parse_args(["generate", "moss"]))
