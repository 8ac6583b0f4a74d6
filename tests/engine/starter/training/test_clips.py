"""Guide and judge: exported for open_clip, taught by meanings, gone on with, and what they know."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.models.guide import Clip
from engine.models.known import words_of
from engine.starter import captions
from engine.starter.materials import REGISTRY
from engine.starter.training import clip, known, loop, teacher
from tests.engine.starter.training.stages import CPU, clip_stage, known_name


@pytest.mark.parametrize("taught", [False, True])
def test_exported_clip_opens_in_open_clip_and_agrees(data, meanings, tmp_path, taught):
    """The full token table gives the same embeddings as the dense one that was trained."""
    stage = clip_stage(data, meanings if taught else None)
    for _ in loop.run(stage, tmp_path / "work"):
        pass
    stage.export(tmp_path / "guide")
    opened = Clip(f"local-dir:{tmp_path / 'guide'}", CPU)
    stage.model.load_state_dict(stage.average.values)
    stage.model.eval()
    name = known_name(data, stage)
    tokens = stage.vocabulary.compact[stage.vocabulary.tokenizer([name])]
    expected = torch.nn.functional.normalize(stage.model.encode_text(tokens), dim=-1)
    torch.testing.assert_close(opened.encode_text([name]), expected, rtol=0, atol=5e-3)  # float16 file
    unknown = opened.encode_text(["zyzzyva bricks", "xylograph bricks"])
    assert opened.size_px == 32
    assert unknown.isfinite().all()


def test_a_word_without_training_has_the_row_of_its_meaning(data, meanings, tmp_path):
    stage = clip_stage(data, meanings, lr=0.01)  # steps that show in float16
    for _ in loop.run(stage, tmp_path / "work"):
        pass
    mix = stage.average.values["token_embedding.mix"]
    assert not torch.equal(mix, torch.eye(96))  # it learns
    stage.export(tmp_path)
    table = load_file(tmp_path / "open_clip_model.safetensors")["token_embedding.weight"].float()
    taught = ((table - meanings @ mix).abs().amax(1) > 1e-3).nonzero().flatten().tolist()
    assert len(taught) > 10
    assert set(taught) <= set(stage.vocabulary.ids.tolist())


def test_a_bare_word_is_read_without_what_training_taught_about_it():
    base = torch.arange(1.0, 7.0).view(3, 2)
    table = teacher.TaughtEmbedding(base)
    with torch.no_grad():
        table.delta += 10
    assert table(torch.tensor([[1, -2]])).tolist() == [[[13, 14], [5, 6]]]


def test_meanings_are_principal_components():
    """Distances in a plane survive the reduction to two numbers, up to scale; special rows are zero."""
    draw = np.random.default_rng(1)
    plane = draw.standard_normal((50, 2)) @ np.linalg.qr(draw.standard_normal((8, 2)))[0].T + 3
    reduced = teacher.principal(plane, 2)
    before, after = (np.linalg.norm(x[:48, None] - x[None, :48], axis=-1) for x in (plane, reduced))
    np.testing.assert_allclose(after, before * (after[0, 1] / before[0, 1]), rtol=1e-4, atol=1e-6)
    assert not reduced[48:].any()
    assert np.sqrt(np.square(reduced[:48]).mean()) == pytest.approx(teacher.SCALE, rel=1e-4)


def test_a_wrong_caption_is_a_candidate_of_its_own_picture_only(data):
    stage = clip_stage(data)
    indices, marked = np.arange(3), torch.tensor([1])
    stage.meaning = np.arange(len(data))
    logits = torch.tensor([[2.0, 0, 0], [0, 2, 0], [0, 0, 2]])
    true = torch.nn.functional.cross_entropy(logits, torch.arange(3), reduction="none")
    with_wrong = torch.log(torch.exp(torch.tensor([0.0, 2, 0, 1])).sum()) - 2
    expected = (true.mean() + (true[0] + with_wrong + true[2]) / 3) / 2
    assert stage._contrast(logits, torch.tensor([1.0]), indices, marked).item() == pytest.approx(expected)


@pytest.mark.parametrize("taught", [False, True])
def test_training_goes_on_from_an_exported_clip(data, meanings, tmp_path, taught):
    """Pictures, and captions of words that it was taught and that it was not, are where they were."""
    known = meanings if taught else None
    first = clip_stage(data, known, seed=3, lr=0.01)
    for _ in loop.run(first, tmp_path / "work"):
        pass
    first.export(tmp_path)
    second = clip_stage(data, known, seed=4, start=str(tmp_path))
    second.export(tmp_path / "again")
    before, after = (Clip(f"local-dir:{folder}", CPU) for folder in (tmp_path, tmp_path / "again"))
    texts = [known_name(data, first), "zyzzyva bricks"]
    torch.testing.assert_close(after.encode_text(texts), before.encode_text(texts), rtol=0, atol=5e-3)
    views = torch.rand(2, 3, 32, 32)
    torch.testing.assert_close(after.encode_image(views), before.encode_image(views), rtol=0, atol=5e-3)


def test_training_takes_over_what_fits_of_another_width(data, tmp_path):
    """Of a CLIP of other words or sizes the image tower is still worth having."""
    first = clip_stage(data, seed=3)
    first.export(tmp_path)
    file = tmp_path / "open_clip_model.safetensors"
    weights = load_file(file)
    save_file(
        {k: v[..., :48].contiguous() if v.ndim == 2 and "token" in k else v for k, v in weights.items()}, file
    )
    second = clip_stage(data, seed=4, start=str(tmp_path))
    assert torch.equal(second.average.values["visual.head.proj.weight"], second.model.visual.head.proj.weight)
    torch.testing.assert_close(
        second.model.visual.head.proj.weight,
        first.average.values["visual.head.proj.weight"],
        rtol=0,
        atol=1e-3,
    )
    assert not torch.allclose(second.model.token_embedding.weight, first.model.token_embedding.weight)


def test_robust_training_sees_worse_views_of_the_same_length(data):
    """The change is no longer than it may be, and raises the loss more than noise of that length does."""
    stage = clip_stage(data, robust=1.0, batch=16, noise=0.0)
    draw, indices, marked = np.random.default_rng(1), np.arange(16), torch.empty(0, dtype=torch.int64)
    views = stage._views(indices, draw)
    tokens, _ = stage._tokens(indices, draw)
    text = stage._read(tokens).detach()

    def loss(pictures):
        with torch.no_grad():
            return stage._outcome(stage._see(pictures), text, indices, marked).loss.item()

    worst = stage._worst(views, text, indices, marked, draw)
    length = (worst - views).flatten(1).norm(dim=1)
    noise = torch.randn_like(views)
    noise *= (length / noise.flatten(1).norm(dim=1))[:, None, None, None]
    assert (length <= 1 + 1e-4).all() and (length > 0.2).all()
    assert loss(worst) - loss(views) > 2 * abs(loss(views + noise) - loss(views))


def test_words_without_training_are_named(data, tmp_path):
    """Tokens that no caption used share a row of the table, which is how the model knows them again."""
    stage = clip_stage(data)
    stage.export(tmp_path / "guide")
    opened = Clip(f"local-dir:{tmp_path / 'guide'}", CPU)
    assert opened.unknown_words(f"Cathedral {known_name(data, stage)}, cathedral 42") == ["cathedral"]
    assert opened.unknown_words("") == []


def test_foreign_words_are_of_no_material():
    """They set the threshold for what counts as known."""
    ours = {word for family in REGISTRY.values() for noun in family.nouns for word in words_of(noun)}
    assert not ours & set(known.FOREIGN)


def test_finished_weights_say_what_they_know(data, meanings, tmp_path):
    """Meanings of nothing but one: "cathedral" then is what the first known word is."""
    stage = clip_stage(data, meanings)
    stage.export(tmp_path)
    opened = Clip(f"local-dir:{tmp_path}", CPU)
    assert opened.known.nouns.keys() == {REGISTRY[p["family"]].nouns[0] for p in data.params}
    assert "cathedral" not in opened.known.words
    assert not {"photo", "with"} & set(opened.known.near)  # they say nothing about a surface
    assert opened.unknown_words(f"A cathedral of {known_name(data, stage)}") == ["cathedral"]
    assert opened.closest_known(captions.canonical(data.params[0])) in opened.known.nouns
    same = opened._tokenizer([opened.known.near[0], "cathedral"])[:, 1]
    table = opened.model.token_embedding.weight.data
    table[same[1]] = opened._meanings([opened.known.near[0]])[0]
    assert opened.unknown_words("cathedral") == []


def test_words_are_compared_with_what_captions_often_use(data):
    told = known.describe(data.params, {"glossy": 3, "glosy": 1, "photo": 9, "with": 9})
    assert told.near == ("glossy",)
    assert set(told.words) == {"glossy", "glosy", "photo", "with"}
    assert all(others == () for others in told.nouns.values())


def test_known_begins_above_foreign_words_and_below_most_synonyms():
    synonyms = torch.linspace(0.5, 1, 11)
    assert known.threshold(torch.tensor([0.1, 0.3]), synonyms) == pytest.approx((0.3 + 0.55) / 2)
    assert 0.7 < known.threshold(torch.tensor([0.1, 0.7]), synonyms) < 0.71  # foreign words come first
    assert known.threshold(torch.tensor([0.1, 0.3]), torch.empty(0)) == pytest.approx(0.35)


def test_only_the_judge_reads_withheld_words(data):
    nouns = captions.withheld_nouns()
    params = next(p for p in data.params if p["family"] in nouns)
    (noun,) = nouns[params["family"]]
    draw = np.random.default_rng(0)
    guide, judge = (clip_stage(data, withheld=c.withheld) for c in (clip.GUIDE, clip.JUDGE))
    assert any(noun in judge._caption(params, draw) for _ in range(300))
    assert not any(noun in guide._caption(params, draw) for _ in range(300))
