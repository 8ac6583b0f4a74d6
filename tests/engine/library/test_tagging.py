"""Tags and their confidence: the arithmetic, and what the starter's guide reads off materials."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from engine.compute import choose
from engine.errors import BadWeights
from engine.library import calibration, fitting, vocabulary
from engine.library.badges import ask, light, light_features, seams
from engine.library.calibration import (
    Curve,
    expected_calibration_error,
    fit_curve,
    fit_temperature,
)
from engine.library.eye import Eye
from engine.library.tagging import Tagger, classify
from engine.library.tags import SHOWN
from engine.models import packs
from engine.starter import dataset
from engine.starter.materials import render

# --- Arithmetic ---------------------------------------------------------------------------------


def test_the_temperature_that_made_the_answers_is_found():
    draw = torch.Generator().manual_seed(0)
    cosines = torch.rand(4000, 6, generator=draw) * 0.6
    truth = torch.multinomial((cosines / 0.05).softmax(-1), 1, generator=draw)[:, 0]
    assert fit_temperature(cosines, truth) == pytest.approx(0.05, rel=0.12)


def test_the_curve_that_made_the_answers_is_found():
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(6000, 3, 2, generator=draw) * torch.tensor([1.0, 0.1])
    true = Curve(weights=(1.5, -8.0), bias=(-1.0, 0.0, 1.0))
    y = torch.bernoulli(true(x), generator=draw)
    found = fit_curve(x, y, by_label=True)
    assert found.weights == pytest.approx(true.weights, rel=0.1)
    assert found.bias == pytest.approx(true.bias, abs=0.15)


def test_a_label_that_never_held_gets_no_infinite_bias():
    x, y = torch.randn(200, 2, 1), torch.zeros(200, 2)
    y[:100, 1] = 1
    found = fit_curve(x, y, by_label=True)
    assert all(abs(b) < 15 for b in found.bias)
    assert found(x)[:, 0].max() < 0.5


def test_calibration_error_is_the_gap_between_saying_and_being_right():
    said = torch.full((1000,), 0.75)
    right = (torch.arange(1000) < 750).float()
    assert expected_calibration_error(said, right) == pytest.approx(0, abs=1e-9)
    assert expected_calibration_error(said, torch.ones(1000)) == pytest.approx(0.25)


def test_a_calibration_is_kept_and_read_again(tmp_path):
    made = calibration.unfitted("f" * 16, 20.0, {"condition": 3})
    fitting.write(made, tmp_path)
    assert calibration.read("f" * 16, tmp_path) == made
    assert calibration.read("e" * 16, tmp_path) is None
    (tmp_path / calibration.file_name("e" * 16)).write_text("{")
    with pytest.raises(BadWeights, match="Delete it"):
        calibration.read("e" * 16, tmp_path)


def test_rows_of_exclusive_facets_sum_to_one_and_others_are_probabilities(tiny_pack):
    tagger = Tagger(tiny_pack.guide, None, ("hull plating", "alien"))
    e = F.normalize(torch.randn(5, 16), dim=-1)
    found = tagger.confidences(e)
    assert set(found) == {*vocabulary.LABELS, "word"}
    for facet, p in found.items():
        assert p.shape == (5, len(tagger.labels(facet)))
        assert bool(((p >= 0) & (p <= 1)).all())
    for facet in vocabulary.EXCLUSIVE:
        torch.testing.assert_close(found[facet].sum(-1), torch.ones(5))
    for tags in tagger(e):
        assert {t.facet for t in tags} >= {"material", "colour"}
        assert all(t.confidence >= SHOWN for t in tags if t.facet not in vocabulary.EXCLUSIVE)


def test_a_texture_is_tagged_alike_alone_and_among_others(tiny_pack):
    tagger = Tagger(tiny_pack.guide, None)
    e = F.normalize(torch.randn(4, 16, generator=torch.Generator().manual_seed(1)), dim=-1)
    together, alone = tagger.confidences(e), [tagger.confidences(row[None]) for row in e]
    for facet, p in together.items():
        torch.testing.assert_close(p, torch.cat([a[facet] for a in alone]), atol=1e-5, rtol=1e-4)


def test_classification_is_a_softmax_over_the_labels(tiny_pack):
    p = classify(tiny_pack.guide, F.normalize(torch.randn(3, 16), dim=-1), ["a cat", "a dog", "bricks"])
    torch.testing.assert_close(p.sum(-1), torch.ones(3))


def test_every_facet_has_words_and_every_pattern_a_material():
    assert all(len(set(labels)) == len(labels) > 1 for labels in vocabulary.LABELS.values())
    for pattern in vocabulary.PATTERNS:
        assert any(vocabulary.has_pattern(pattern, f) for f in vocabulary.FAMILIES), pattern


# --- Badges -------------------------------------------------------------------------------------


def tile(side=64):
    """Waves that repeat along both axes."""
    t = torch.arange(side) / side * 2 * torch.pi
    waves = 0.5 + 0.2 * (3 * t).sin()[:, None] + 0.2 * (2 * t).sin()[None, :]
    return torch.stack([waves, waves.T, 1 - waves])


def test_a_tile_is_seamless_and_a_part_of_it_is_not():
    assert seams(tile()).seamless
    cut = seams(tile()[:, :, :40])
    assert not cut.seamless
    assert cut.y <= 1.25 < cut.x


def test_a_seam_in_the_height_counts_too():
    height = torch.linspace(0, 1, 64).repeat(64, 1)[None]
    assert not seams(tile(), height).seamless


def test_any_size_has_a_seam_score():
    for size in ((1, 1), (1, 40), (3, 2), (40, 7)):
        assert seams(torch.rand(3, *size)).x >= 0


def test_light_is_unknown_between_lit_and_flat():
    picture, whole = tile(), torch.zeros(4)
    n = len(light_features(picture, whole))
    for bias, said in ((9.0, "lit"), (-9.0, "flat"), (0.0, "unknown")):
        assert light(picture, whole, Curve(weights=(0.0,) * n, bias=(bias,))) == said


def test_features_of_light_are_finite_for_any_picture():
    for picture in (torch.zeros(3, 32, 32), torch.ones(3, 32, 32), torch.rand(3, 8, 300)):
        assert bool(light_features(picture, torch.zeros(4)).isfinite().all())


# --- The starter --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def starter(tmp_path_factory):
    guide = packs.load_guide("starter", choose("cpu"))
    return Eye(guide, tmp_path_factory.mktemp("none"))


@pytest.fixture(scope="module")
def read(starter):
    """Tags of materials that training never saw, by name of family and modifier."""

    def read(family, seed, **changes):
        params = {**dataset.sample(seed, family), "modifiers": {}, "mixture": None, **changes}
        x = torch.from_numpy(render(params, 256).basecolor).permute(2, 0, 1)[None]
        (tags,) = starter.tagger(starter.embed(x))
        return {t.label: t.confidence for t in tags}

    return read


@pytest.mark.parametrize(("family", "pattern"), [("zebra", "striped"), ("cobblestone", "rounded")])
def test_the_starter_names_materials_and_patterns(read, family, pattern):
    found = read(family, 9_000_001)
    assert {vocabulary.MATERIALS[vocabulary.FAMILIES.index(family)].tag, pattern} <= set(found)


def test_the_starter_names_colours(read):
    found = read("plain_weave", 9_000_002, palette="any", target="2f5fa8", colour="blue")
    assert found.get("blue", 0) > 0.5


def test_the_starter_says_unknown_where_it_was_taught_nothing(starter):
    answer = ask(starter.clip, F.normalize(torch.randn(128), dim=0), ("a photo of text", "a texture"))
    assert answer == "unknown"


def test_a_model_that_has_seen_everything_may_answer(tiny_pack):
    texts = ("a photo of text", "a texture")
    e = tiny_pack.guide.encode_text(texts)
    answers = {ask(tiny_pack.guide, row, texts) for row in e}
    assert answers <= {"yes", "no", "unknown"}


def test_the_shipped_calibration_holds_for_the_shipped_guide(starter):
    """Who trains the guide anew has to fit its confidence anew: `python -m engine calibrate --ship`."""
    assert starter.calibrated, starter.model
    assert max(starter.calibration.ece.values()) < 0.12
