"""What ships: of the size that was agreed, what the catalogue says, and no worse than it should be."""

from __future__ import annotations

import hashlib

import pytest

from engine.compute import choose
from engine.models import packs
from engine.starter import dataset, record
from engine.starter.data import Materials
from engine.starter.evaluation import report
from engine.starter.evaluation.naming import naming
from engine.starter.evaluation.reconstruction import reconstruction
from engine.starter.training.pipeline import WEIGHTS

MIB = 2**20
PX = 128
"""Of the materials that floors are measured on: a quarter of the work, and a little harder to read."""


@pytest.fixture(scope="module")
def shipped():
    return packs.entries()["starter"].files()


@pytest.fixture(scope="module")
def pack():
    return packs.load("starter", choose("cpu"))


@pytest.fixture(scope="module")
def unseen(tmp_path_factory):
    """Combinations that training never saw."""
    folder = tmp_path_factory.mktemp("unseen")
    families = record.read(WEIGHTS).families
    shards = dataset.plan(folder, 48, first_seed=20_000_000, size=PX, held_out=True, families=families)
    assert sum(dataset.write(shards)) == 48
    return Materials.open(folder)


def test_every_file_is_what_the_catalogue_says(shipped):
    for role, file in shipped.items():
        data = (packs.ROOT / file.path).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (file.bytes, file.sha256), role


def test_files_are_small_enough(shipped):
    sizes = {role: (packs.ROOT / file.path).stat().st_size for role, file in shipped.items()}
    assert max(sizes.values()) <= 16 * MIB, sizes
    assert sum(sizes.values()) <= 64 * MIB, sizes


def test_figures_are_of_the_weights_that_ship(shipped):
    found = report.read(WEIGHTS / report.FIGURES)
    assert found.sha256 == {role: file.sha256 for role, file in shipped.items()}


@pytest.mark.slow
def test_the_guide_names_what_it_was_not_shown(pack, unseen):
    named = naming(unseen, pack.guide, record.read(WEIGHTS).families)
    assert named["family"] >= 0.5, "one in 75 is chance"
    assert named["colour"] >= 0.6, "one in sixteen is chance"


@pytest.mark.slow
def test_the_generator_says_what_it_was_not_shown(pack, unseen):
    found = reconstruction(unseen, pack, limit=16)
    assert found["psnr"]["basecolor"] >= 17
    assert found["codes_used"] >= 0.25, "sixteen materials have as many places as there are codes"
    assert max(found["commutation"].values()) <= 1e-4
