"""Preset files of the user's, written and read, and what Blender knows of them."""

from __future__ import annotations

import json

from tests.addon.support import draw

GOOD = {"format": 1, "label": "Oak", "templates": ["{}", "old {}"]}


def refresh(blender):
    blender.package.gallery.refresh()


def write(folder, name, **content):
    (folder / f"{name}.json").write_text(json.dumps({**GOOD, **content}))


def stored(folder, name):
    return json.loads((folder / f"{name}.json").read_text())


def choices(blender):
    return set(blender.inputs.bl_rna.properties["preset"].enum_items.keys())


def shown(panel):
    """The texts of a panel, of which a narrow one makes several lines."""
    return [" ".join(draw(panel).texts())]


BROKEN = {
    "torn": "{",
    "list": "[]",
    "future": json.dumps({**GOOD, "format": 2}),
    "typo": json.dumps({**GOOD, "settings": {"stepz": 1}}),
    "beyond": json.dumps({**GOOD, "settings": {"steps": -1}}),
    "hole": json.dumps({**GOOD, "templates": ["none"]}),
    "map": json.dumps({**GOOD, "material": {"displacement": "UP"}}),
    "Bad Name": json.dumps(GOOD),
}
