"""What an artist does in Blender's window, and what has to come of it. Run by Blender itself: see play.py.

The argument behind "--" is a JSON object: the name of a scenario, the add-on's zip, the folder for pictures,
and what a scenario needs.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import bpy
from bpy_extras.view3d_utils import location_3d_to_region_2d
from mathutils import Vector

sys.path.insert(0, str(Path(__file__).parent))

import shelf
from guikit import Pointer, Sidebar, Steps, play, take_picture, until
from spanish import spanish
from using import using

T = TypeVar("T")

PANEL = "PATINA_PT_main"
ENGINE_S = 150.0  # for importing torch on a busy machine
RUN_S = 600.0
MOVES = 3  # that somebody must see a bar make in a run, be the machine ever so busy
REDRAW_S = 0.3
GALLERY_BELOW = 27  # pixels from the middle of the field above it to the button that opens it
PATTERN = 0.02  # of brightness between the darker and the lighter parts of a texture


def enable(archive: str) -> str:
    """Install the add-on as people do. Returns its package."""
    if bpy.app.version >= (4, 2, 0):
        bpy.ops.extensions.package_install_files(
            filepath=archive, repo="user_default", enable_on_install=True
        )
        package = "bl_ext.user_default.patina"
    else:
        bpy.ops.preferences.addon_install(filepath=archive)
        bpy.ops.preferences.addon_enable(module="patina")
        package = "patina"
    assert package in bpy.context.preferences.addons, f"not enabled: {package}"
    return package


class Artist:
    """Somebody at the sidebar's tab, with the add-on's state in view."""

    def __init__(self, plan: dict, package: str) -> None:
        self.plan, self.package = plan, package
        self.pictures = Path(plan["pictures"])
        self.pointer = Pointer()
        self.sidebar = Sidebar(self.pointer, "Patina", PANEL)
        self.preferences = bpy.context.preferences.addons[package].preferences
        self.pump = sys.modules[f"{package}.pump"]

    @property
    def inputs(self) -> bpy.types.PropertyGroup:
        return bpy.context.scene.patina

    @property
    def state(self) -> bpy.types.PropertyGroup:
        return bpy.context.window_manager.patina

    def note_engine(self) -> int:
        """Leave the engine's process number to whoever started Blender."""
        pid = self.pump.session.engine.pid
        with (self.pictures / "engines.txt").open("a") as file:
            file.write(f"{pid}\n")
        return pid

    def picture(self, name: str) -> Steps[None]:
        yield from self.sidebar.picture(self.pictures / f"{name}.png")

    def press(self, widget: str) -> Steps[None]:
        """Find a button and click it."""
        yield REDRAW_S
        places = yield from self.sidebar.find(widget)
        yield from self.pointer.click(places[widget])

    def describe(self, prompt: str) -> Steps[None]:
        """Type the prompt into its field."""
        yield from self.press("patina.prompt")
        yield 0.2
        yield from self.pointer.key("A", ctrl=True)
        yield from self.pointer.write(prompt)
        yield from self.pointer.key("RET")
        yield from until(lambda: self.inputs.prompt == prompt, "the typed prompt")


def material(artist: Artist) -> Steps[None]:
    """From a prompt to a material on the default cube."""
    artist.inputs.preset = artist.plan["preset"]
    for name, value in artist.plan["settings"].items():
        setattr(artist.inputs, name, value)
    yield from artist.sidebar.open()
    yield from artist.picture("empty")
    yield from artist.describe(artist.plan["prompt"])
    yield from artist.picture("ready")
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


def trouble(artist: Artist) -> Steps[None]:
    """An engine that is not there, cannot run, is killed: each a calm state with a way out."""
    works = artist.preferences.engine_python
    artist.inputs.prompt = "red bricks"
    yield from artist.sidebar.open()
    artist.preferences.engine_python = "/nowhere/python"
    yield from artist.press("patina.generate")
    yield from see_message(artist, "missing", "patina.open_preferences")

    artist.preferences.engine_python = "/bin/false"
    yield from artist.press("patina.generate")
    places = yield from see_message(artist, "failed", "patina.restart_engine", "patina.copy_log")

    artist.preferences.engine_python = works
    yield from artist.pointer.click(places["patina.restart_engine"])
    yield from until(lambda: artist.state.state in {"starting", "ready"}, "an engine after Restart", 10)
    os.kill(artist.note_engine(), signal.SIGKILL)
    places = yield from see_message(
        artist, "failed", "patina.restart_engine", "patina.copy_log", picture="killed"
    )
    message, manager = artist.state.message, bpy.context.window_manager
    yield from artist.pointer.click(places["patina.copy_log"])
    yield from until(lambda: message in manager.clipboard, "the message in the copied log", 5)
    yield from artist.pointer.click(places["patina.restart_engine"])
    yield from until(lambda: artist.state.state == "ready", "an engine that works", ENGINE_S)
    artist.note_engine()
    assert not artist.state.message, artist.state.message


def gallery(artist: Artist) -> Steps[None]:
    """Open the presets from the panel, look at them, and choose one by its picture."""
    artist.inputs.preset = "stone"
    yield from artist.sidebar.open()
    yield from artist.picture("chosen")
    places = yield from artist.sidebar.find("patina.negative")
    x, y = places["patina.negative"]
    yield from artist.pointer.click((x + 30, y - GALLERY_BELOW))
    for _ in range(12):  # the pictures are decoded in the background
        yield REDRAW_S
        bpy.context.window_manager.windows[0].screen.areas[0].tag_redraw()
    take_picture(artist.pictures / "gallery.png")
    window = bpy.context.window_manager.windows[0]
    spots = ((u * window.width // 8, v * window.height // 12) for v in range(3, 10) for u in range(2, 6))
    for spot in spots:
        yield from artist.pointer.click(spot)
        if artist.inputs.preset != "stone":
            break
    take_picture(artist.pictures / "clicked.png")
    assert artist.inputs.preset != "stone", "no picture could be clicked"
    yield from artist.pointer.key("ESC")
    yield from artist.picture("closed")


def history(artist: Artist) -> Steps[None]:
    """Two runs, the second of them queued; a star; the first one again from the history."""
    panel = bpy.types.PATINA_PT_history
    bpy.utils.unregister_class(panel)
    panel.bl_options = set()  # open: the header of a closed one cannot be found
    bpy.utils.register_class(panel)
    for name, value in artist.plan["settings"].items():
        setattr(artist.inputs, name, value)
    yield from artist.sidebar.open()
    for prompt in ("red bricks", "grey slate"):
        artist.inputs.prompt = prompt
        yield from artist.press("patina.generate")
    queue = bpy.context.window_manager.patina_queue
    yield from until(lambda: len(queue.runs) == 1, "a run in the queue", 10)
    yield from until(lambda: artist.state.live and artist.state.progress > 0.3, "live pictures", RUN_S)
    artist.note_engine()
    yield from artist.picture("queue")
    yield from until(lambda: not artist.state.job and not len(queue.runs), "both runs", RUN_S)
    yield REDRAW_S
    star = 'patina.star(key="")'
    places = yield from artist.sidebar.find(star, across=(0.83,))  # at the row's end
    yield from artist.pointer.click(places[star])
    yield from until(lambda: artist.state.results[0].starred, "a star", 5)
    yield from artist.picture("chosen")
    past = bpy.context.window_manager.patina_history
    yield from until(
        lambda: [item.name for item in past.prompts] == ["grey slate", "red bricks"], "both prompts", 10
    )
    past.active = 1
    artist.sidebar.area.tag_redraw()
    yield from until(lambda: past.results and "red_bricks" in past.results[0].key, "the older results", 10)
    yield from artist.press("patina.history_show(")
    yield from until(lambda: "red_bricks" in artist.state.results[0].key, "the older results above", 5)
    yield from artist.picture("history")


def see_message(
    artist: Artist, state: str, *buttons: str, picture: str = ""
) -> Steps[dict[str, tuple[int, int]]]:
    """Wait for a state; it must say a sentence, end the run and offer buttons. Returns where they are."""
    yield from until(lambda: artist.state.state == state, f"the state {state}", 10)
    assert artist.state.message.endswith("."), repr(artist.state.message)
    assert not artist.state.job
    yield from artist.picture(picture or state)
    return (yield from artist.sidebar.find(*buttons))


def stalls(artist: Artist) -> Steps[None]:
    """How long a run keeps Blender's one thread: every turn of the timer and every drawing of a panel."""
    spent: dict[str, list[float]] = {"timer": [], "panels": []}
    artist.pump.tick = timed(artist.pump.tick, spent["timer"])
    for panel in (cls for cls in bpy.types.Panel.__subclasses__() if cls.__name__.startswith("PATINA_PT")):
        panel.draw = timed(panel.draw, spent["panels"])
    for name, value in artist.plan["settings"].items():
        setattr(artist.inputs, name, value)
    artist.inputs.prompt = artist.plan["prompt"]
    yield from artist.sidebar.open()
    yield from artist.press("patina.generate")
    yield from until(lambda: artist.state.job, "a run to begin", 5)
    yield from until(lambda: not artist.state.job, "the results", RUN_S)
    artist.note_engine()
    assert not artist.state.message, f"the run failed: {artist.state.message} {artist.state.details}"
    yield 1.0  # the results' thumbnails come in
    (artist.pictures / "stalls.json").write_text(json.dumps(spent))


def timed(function: Callable[..., T], seconds: list[float]) -> Callable[..., T]:
    """The function, noting what each call takes."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> T:
        began = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            seconds.append(time.perf_counter() - began)

    return call


def main() -> None:
    plan = json.loads(sys.argv[sys.argv.index("--") + 1])
    bpy.context.preferences.view.show_splash = False
    artist = Artist(plan, enable(plan["archive"]))
    scenarios = {
        "material": material,
        "trouble": trouble,
        "stalls": stalls,
        "library": shelf.library,
        "gallery": gallery,
        "history": history,
        "using": using,
        "spanish": spanish,
    }
    play(scenarios[plan["scenario"]](artist), artist.pictures)


main()
