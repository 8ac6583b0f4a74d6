"""Exact search against NumPy, and telling duplicates from look-alikes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis.strategies import integers
from PIL import Image
from torch.nn import functional as F

from engine.library.bench import bench
from engine.library.search import Matrix, best, duplicates, mask, near_pairs, same_picture
from engine.starter.materials import render, sample


def unit(n, width=16, seed=0):
    return F.normalize(torch.randn(n, width, generator=torch.Generator().manual_seed(seed)), dim=-1)


@given(n=integers(1, 200), k=integers(1, 20), seed=integers(0, 1000))
def test_the_best_are_those_that_sorting_finds(n, k, seed):
    vectors, query = unit(n, seed=seed), unit(1, seed=seed + 1)[0]
    rows, scores = best(vectors, [(query, 1.0)], k)
    expected = np.argsort(-(vectors.numpy() @ query.numpy()), kind="stable")[:k]
    assert rows.tolist() == expected.tolist()
    torch.testing.assert_close(scores, vectors[rows] @ query)


@given(seed=integers(0, 1000))
def test_only_what_is_allowed_is_found(seed):
    vectors, query = unit(50, seed=seed), unit(1, seed=seed + 1)[0]
    allowed = torch.rand(50, generator=torch.Generator().manual_seed(seed)) < 0.2
    rows, _ = best(vectors, [(query, 1.0)], 50, allowed)
    assert sorted(rows.tolist()) == allowed.nonzero().flatten().tolist()


def test_words_and_picture_weigh_alike_though_texts_lie_farther_from_pictures():
    """Cosines to a text differ by a hundredth where those to a picture differ by halves."""
    vectors = F.pad(unit(400, 8, seed=2), (0, 1))
    picture = vectors[7]
    text = F.normalize(0.02 * vectors[3] + torch.eye(9)[8], dim=0)
    only_picture = best(vectors, [(text, 0.0), (picture, 1.0)], 5)[0]
    only_text = best(vectors, [(text, 1.0), (picture, 0.0)], 5)[0]
    assert only_picture.tolist() == best(vectors, [(picture, 1.0)], 5)[0].tolist()
    assert only_text.tolist() == best(vectors, [(text, 1.0)], 5)[0].tolist()
    rows, scores = best(vectors, [(text, 0.5), (picture, 0.5)], len(vectors))
    shares = [float(torch.corrcoef(torch.stack([scores, vectors[rows] @ q]))[0, 1]) for q in (text, picture)]
    assert min(shares) > 0.2
    assert abs(shares[0] - shares[1]) < 0.1


def test_no_textures_and_no_queries_find_nothing():
    assert best(torch.zeros(0, 0), [(torch.ones(4), 1.0)], 5)[0].tolist() == []
    assert best(unit(3), [], 5)[0].tolist() == []


def test_masks_follow_ids():
    ids = np.array([2, 5, 9], np.int64)
    assert mask(ids, np.array([9, 2, 77], np.int64)).tolist() == [True, False, True]


def test_near_pairs_are_found_across_blocks(monkeypatch):
    monkeypatch.setattr("engine.library.search.BLOCK", 7)
    vectors = unit(30)
    vectors[25] = vectors[3]
    vectors[4] = F.normalize(vectors[3] + 0.01 * vectors[5], dim=0)
    assert set(near_pairs(vectors)) == {(3, 25), (3, 4), (4, 25)}


def thumbnail(picture):
    return np.asarray(Image.fromarray(picture).resize((16, 16), Image.Resampling.BOX))


def material(seed, family="cobblestone"):
    return (render(sample(seed, family), 128).basecolor * 255).astype(np.uint8)


def test_a_picture_that_was_rolled_resized_or_compressed_is_the_same():
    stones = material(4)
    small = np.asarray(Image.fromarray(stones).resize((64, 64), Image.Resampling.BOX))
    assert same_picture(thumbnail(stones), thumbnail(small))
    assert same_picture(thumbnail(stones), thumbnail(np.roll(stones, (40, 24), (0, 1))))


def test_another_draw_of_the_same_material_is_another_picture():
    params = sample(4, "cobblestone")
    other = (render({**params, "seed": 99}, 128).basecolor * 255).astype(np.uint8)
    assert not same_picture(thumbnail(material(4)), thumbnail(other))


def test_flat_colours_are_the_same_only_where_the_colour_is():
    red, dark = np.full((16, 16, 3), (200, 30, 30), np.uint8), np.full((16, 16, 3), (90, 10, 10), np.uint8)
    assert same_picture(red, red)
    assert not same_picture(red, dark)


def test_duplicates_in_a_library_are_listed_as_groups(bring_up, store, textures, paint):
    for name, seed in (("a", 1), ("other", 2)):
        with Image.open(paint(textures / f"{name}.png", seed, (8, 8))) as small:
            small.resize((64, 64)).save(textures / f"{name}.png")
    with Image.open(textures / "a.png") as picture:
        picture.save(textures / "copy.webp", quality=95)
        picture.save(textures / "again.png")
    bring_up()
    groups = duplicates(store, Matrix.of(store))
    names = [[k.name for k in store.known(ids)] for ids in groups]
    assert [sorted(group) for group in names] == [["a", "again", "copy"]]


def test_a_matrix_is_read_again_only_when_the_index_changed(bring_up, store, textures, paint):
    paint(textures / "a.png", 1)
    bring_up()
    first = Matrix.of(store)
    bring_up()
    assert Matrix.of(store, first) is first
    paint(textures / "b.png", 2)
    bring_up()
    assert len(Matrix.of(store, first)) == 2


def test_the_bench_measures_what_it_says():
    (row,) = bench((2000,), width=8, repeats=2)
    assert row["textures"] == 2000
    assert 0 < row["fastest_s"] <= row["words_s"] < 1
    assert row["both_s"] > 0


@pytest.mark.parametrize("k", [1, 5])
def test_fewer_come_back_where_there_are_fewer(k):
    assert len(best(unit(3), [(unit(1)[0], 1.0)], k)[0]) == min(k, 3)
