"""A library of small pictures, seen by the tiny pack's guide: real code, random network."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from engine.library.eye import Eye
from engine.library.index import update
from engine.library.store import Store, index_file


def run(steps):
    """A generator's result."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


@pytest.fixture(scope="session")
def eye(tiny_pack, tmp_path_factory):
    return Eye(tiny_pack.guide, tmp_path_factory.mktemp("calibrations"))


@pytest.fixture
def paint():
    """Writes a picture of coloured noise, its own for every seed, in the format that its name says."""

    def paint(path, seed=0, size=(40, 40)):
        rng = np.random.default_rng(seed)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)).save(path)
        return path

    return paint


@pytest.fixture
def textures(tmp_path):
    """Where the textures of a test lie."""
    folder = tmp_path / "textures"
    folder.mkdir()
    return folder


@pytest.fixture
def store(tmp_path, eye):
    with Store(index_file(tmp_path / "library", eye.model)) as opened:
        yield opened


@pytest.fixture
def bring_up(store, eye, textures):
    """Brings the index up to date with the textures; returns the report."""
    return lambda *folders: run(update(store, folders or [textures], eye))
