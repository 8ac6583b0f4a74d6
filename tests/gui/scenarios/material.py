"""From a prompt to a material on the default cube."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import bpy
from bpy_extras.view3d_utils import location_3d_to_region_2d
from mathutils import Vector

from tests.gui.artist import ENGINE_S, REDRAW_S, RUN_S, Artist
from tests.gui.guikit import Steps, take_picture, until

MOVES = 3  # that somebody must see a bar make in a run, be the machine ever so busy
PATTERN = 0.02  # of brightness between the darker and the lighter parts of a texture


def play(artist: Artist) -> Steps[None]:
    """Generate what is asked for, choose a variation, apply it."""
    yield from artist.sidebar.open()
    yield from artist.press("patina.generate")
    yield from until(lambda: artist.state.job, "a run to begin", 5)
    yield from watch_progress(artist)
    yield from artist.picture("results")
    yield from choose(artist)
    yield from apply(artist)


def watch_progress(artist: Artist) -> Steps[None]:
    """Until the results are there. The bar must move on the way, and the live pictures appear."""
    state, seen = artist.state, []

    def sample() -> float:
        if not seen or seen[-1] < state.progress:
            seen.append(state.progress)
        return 0.02

    bpy.app.timers.register(sample)  # a timer of its own: taking a picture stops the clock of a scenario
    yield from until(lambda: not state.job or state.state != "starting", "the engine", ENGINE_S)
    artist.note_engine()
    yield from until(lambda: not state.job or (state.live and state.progress > 0.3), "live pictures", RUN_S)
    assert state.job, f"no live picture: {seen} {state.message} {state.details} {state.log_tail}"
    yield from artist.picture("generating")
    yield from until(lambda: not state.job, "the results", RUN_S)
    bpy.app.timers.unregister(sample)
    assert not state.message, f"the run failed: {state.message} {state.details} {state.log_tail}"
    assert len(seen) > MOVES, f"the bar hardly moved: {seen}"
    assert len(state.results) == artist.inputs.variations


def choose(artist: Artist) -> Steps[None]:
    """Pick the second variation, then the first one again."""
    yield REDRAW_S
    buttons = [f"patina.select(index={index})" for index in (0, 1)]
    places = yield from artist.sidebar.find(*buttons)
    for index in (1, 0):
        yield from artist.pointer.click(places[buttons[index]])
        yield from until(lambda: artist.state.selected == index, f"variation {index} selected", 5)  # noqa: B023


def apply(artist: Artist) -> Steps[None]:
    """Press Apply, take it back, bring it again, and look at the nodes."""
    cube = bpy.data.objects["Cube"]
    before = cube.active_material
    yield from artist.press("patina.apply")
    yield from until(lambda: cube.active_material != before, "a material on the cube", 10)
    check_material(artist, cube.active_material)
    area = artist.sidebar.area
    yield from artist.pointer.move((area.x + area.width // 3, area.y + area.height // 2))
    for keys, expected in (({}, False), ({"shift": True}, True)):
        yield from artist.pointer.key("Z", ctrl=True, **keys)
        yield from until(lambda: has_result() == expected, "undo and redo to take Apply as one step", 5)  # noqa: B023
    yield from show_shading(artist)
    yield from artist.picture("applied")


def has_result() -> bool:
    """Whether the cube has Patina's material. Looked up anew: undo replaces all data."""
    material = bpy.data.objects["Cube"].active_material
    return material is not None and "patina_result" in material


def check_material(artist: Artist, material: bpy.types.Material) -> None:
    """Each map sits at its socket, in its colour space, at the size asked for."""
    tree = material.node_tree
    assert all(link.is_valid for link in tree.links)
    principled = next(node for node in tree.nodes if node.type == "BSDF_PRINCIPLED")
    side = int(artist.inputs.size)
    for socket, is_data in (("Base Color", False), ("Metallic", True), ("Roughness", True), ("Normal", True)):
        node = principled.inputs[socket].links[0].from_node
        while node.type != "TEX_IMAGE":
            node = node.inputs["Color"].links[0].from_node
        assert node.image.colorspace_settings.is_data == is_data, f"{socket}: wrong colour space"
        assert tuple(node.image.size) == (side, side), f"{socket}: {tuple(node.image.size)}"
        assert Path(node.image.filepath).is_file(), f"{socket}: no file"
    output = next(node for node in tree.nodes if node.type == "OUTPUT_MATERIAL")
    assert output.inputs["Surface"].links[0].from_node == principled


def show_shading(artist: Artist) -> Steps[None]:
    """Show the cube with its textures; by Material Preview where the plan can wait for its shaders."""
    space = artist.sidebar.area.spaces.active
    shading = space.shading
    space.region_3d.view_distance *= 0.6
    if not (patience_s := artist.plan.get("preview_s")):
        shading.color_type = "TEXTURE"
        return
    shading.type = "MATERIAL"
    end = time.monotonic() + patience_s
    while not is_textured(artist):
        assert time.monotonic() < end, f"no texture on the cube after {patience_s} s"
        artist.sidebar.area.tag_redraw()
        yield 2.0


def is_textured(artist: Artist) -> bool:
    """Whether the cube's front shows a pattern: until its shader is compiled, it is plain or not drawn."""
    area = artist.sidebar.area
    region = next(region for region in area.regions if region.type == "WINDOW")
    front = location_3d_to_region_2d(region, area.spaces.active.region_3d, Vector((0.5, -1, 0.4)))
    picture = artist.pictures.parent / "look.png"
    take_picture(picture)
    image = bpy.data.images.load(str(picture))
    width, half = image.size[0], 20
    left, low = region.x + int(front.x) - half, region.y + int(front.y) - half
    greens = []
    for y in range(low, low + 2 * half):
        row = 4 * (y * width + left)
        greens += image.pixels[row + 1 : row + 8 * half : 4]
    bpy.data.images.remove(image)
    darker, _, lighter = statistics.quantiles(greens, n=4)  # lines of the grid fill no quarter
    return lighter - darker > PATTERN
