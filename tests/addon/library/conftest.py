"""A library of textures that has no engine: tests answer in its place."""

from __future__ import annotations

import bpy
import pytest

from tests.addon.library.desk import module
from tests.addon.support import write_png


class Desk:
    """Stands where the engine is: keeps what was asked, and answers when it is told to."""

    def __init__(self, library):
        self.asked, self.cancelled = [], []
        library._ask, library._cancel = self._ask, self.cancelled.append

    def _ask(self, method, params, take):
        self.asked.append((method, params, take))
        return len(self.asked)

    def answer(self, number=-1, **result):
        self.asked[number][2](module("link").Finished(1, result))

    def fail(self, message):
        self.asked[-1][2](module("link").Failed(1, module("link").EngineError(message)))

    def progress(self, step, total):
        self.asked[-1][2](module("link.events").Progress(1, "look", step, total, None, None))

    @property
    def last(self):
        return self.asked[-1][:2]


@pytest.fixture
def library(blender):
    return module("shelf").library


@pytest.fixture
def desk(library):
    return Desk(library)


@pytest.fixture
def texture(tmp_path):
    """Writes a texture's files and says of it what the engine would."""

    def texture(
        name="mossy_wall", roles=("basecolor",), score=None, tags=(("moss", 0.9), ("green", 0.4)), **more
    ):
        files = {}
        for role in roles:
            kind = {"normal": "normal_gl", "gloss": "roughness", "arm": "roughness", "bump": "roughness"}
            path = tmp_path / f"{name}_{role}.png"
            write_png(path, kind.get(role, "ao" if role == "alpha" else role))
            files[role] = str(path)
        entry = {
            "name": name, "files": files, "thumbnail": files["basecolor"], "directx": False, "width": 16,
            "height": 16, "tags": [{"facet": "x", "label": a, "confidence": b} for a, b in tags],
            "badges": {"seamless": True, "light": "lit", "lettering": "unknown", "object": "unknown"},
        }  # fmt: skip
        return {**entry, **({} if score is None else {"score": score}), **more}

    return texture


@pytest.fixture
def filled(blender, library, desk, texture):
    """A library of thirty textures, open."""
    entries = [texture(f"wall_{k}", score=1 - k / 100) for k in range(30)]
    bpy.ops.patina.library_open()
    desk.answer(results=entries, textures=30, folders=["/textures"], labels={"green": 12, "moss": 30})
    while module("shelf").turn():
        pass
    return library
