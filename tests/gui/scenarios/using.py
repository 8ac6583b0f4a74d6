"""Using a result in Blender's window: its panels, an asset, a library from the background."""

from __future__ import annotations

from pathlib import Path

import bpy

from tests.gui.artist import Artist
from tests.gui.guikit import Steps, until

OPEN = tuple(f"PATINA_PT_{name}" for name in ("edit", "start", "tiled", "files"))
SIDE = 64
COLOURS = {
    "basecolor": (0.6, 0.2, 0.15),
    "normal_gl": (0.5, 0.5, 1.0),
    "roughness": (0.6,) * 3,
    "metallic": (0.0,) * 3,
    "height": (0.5,) * 3,
    "ao": (1.0,) * 3,
}
SAVING_S = 120.0


def play(artist: Artist) -> Steps[None]:
    """A result without an engine: applied, changed, started from, made an asset and saved to a library."""
    folder = artist.pictures.parent
    finish_run(artist, folder / "run")
    artist.unfold(*OPEN)
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "scene.blend"))
    yield from artist.sidebar.open()
    cube = bpy.data.objects["Cube"]
    yield from artist.press("patina.apply")
    yield from until(lambda: "patina_result" in (cube.active_material or {}), "a material on the cube", 10)
    yield from artist.picture("in use")
    yield from asset(artist, cube)
    yield from library(artist, folder / "library")
    yield from refusal(artist)
    artist.unfold()


def asset(artist: Artist, cube: bpy.types.Object) -> Steps[None]:
    """Mark it; it has a thumbnail, whether or not this machine's Blender gets to render one."""
    bpy.context.scene.patina_files.thumbnail = "PICTURE"  # software drivers take minutes for a rendered one
    bpy.ops.patina.mark_asset()
    material = cube.active_material
    yield from until(lambda: any(material.preview.image_pixels), "a thumbnail", 5)
    assert material.asset_data.tags
    yield from artist.picture("marked")


def library(artist: Artist, folder: Path) -> Steps[None]:
    """Save both variations, by a real Blender without a window."""
    folder.mkdir()
    bpy.ops.preferences.asset_library_add(directory=str(folder))
    bpy.context.scene.patina_files.library = bpy.context.preferences.filepaths.asset_libraries[-1].name
    bpy.ops.patina.save_to_library(which="ALL")
    state = bpy.context.window_manager.patina_saving
    yield from artist.picture("saving")
    yield from until(lambda: not state.busy, "a saved library", SAVING_S)
    assert state.status.startswith("2 saved"), state.status
    assert len(list(folder.rglob("*.blend"))) == 2
    yield from artist.picture("saved")


def refusal(artist: Artist) -> Steps[None]:
    """What stands in the way of Apply has a button in the panel, and that button removes it."""
    inputs = artist.inputs
    mesh = bpy.data.objects["Cube"].data
    mesh.uv_layers.remove(mesh.uv_layers[0])
    inputs.mapping = "UV"
    yield from artist.picture("refused")
    yield from artist.press("wm.context_set_enum")
    yield from until(lambda: inputs.mapping == "BOX", "box mapping by the button", 5)


def finish_run(artist: Artist, folder: Path) -> None:
    """Let the session take two variations, with files that are really there."""
    folder.mkdir()
    entries, tag = [], {"facet": "material", "label": "brick", "confidence": 1.0}
    for rank in (1, 2):
        files = {name: f"v{rank}_{name}.png" for name in COLOURS}
        for name, file in files.items():
            write(folder / file, COLOURS[name])
        entries.append(
            {"rank": rank, "judge_score": 0.9 / rank, "guide_score": 0.5, "seam": 1.0, "seed": 7,
             "relief": 0.04, "files": files, "tags": [tag]}
        )  # fmt: skip
    summary = {"prompt": "red bricks", "preset": "stone", "folder": str(folder), "warnings": []}
    artist.pump.session._take_summary({**summary, "variations": entries})
    artist.pump.mirror()


def write(path: Path, colour: tuple[float, float, float]) -> None:
    """A PNG with a darker joint along the bottom and the left: four of them side by side show a grid."""
    rows = []
    for y in range(SIDE):
        for x in range(SIDE):
            shade = 0.5 if min(x, y) < 6 else 1.0
            rows += [shade * value for value in colour] + [1.0]
    image = bpy.data.images.new("made", SIDE, SIDE)
    image.pixels.foreach_set(rows)
    image.filepath_raw, image.file_format = str(path), "PNG"
    image.save()
    bpy.data.images.remove(image)
