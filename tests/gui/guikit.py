"""A hand and an eye for Blender's window: clicks and keys by simulated events, waits on conditions, pictures.

Runs inside Blender 3.4 and later, started with `--enable-event-simulate`. A scenario is a generator: what it
yields is how many seconds Blender's event loop gets before the next step. No widget has a fixed place:
`Sidebar.find` hovers and asks Blender which operator or property is under the pointer.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import bpy

T = TypeVar("T")
Steps = Generator[float, None, T]
Place = tuple[int, int]

BEGAN = time.monotonic()
BEAT = 0.04  # seconds between two events: move, press and release in one pass of the event loop run no button
DIGITS = ("ZERO", "ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE")
KEYS = {" ": "SPACE", "-": "MINUS", ",": "COMMA", ".": "PERIOD"} | {
    str(digit): name for digit, name in enumerate(DIGITS)
}


class OverdueError(AssertionError):
    """A condition did not come true in its time."""


def play(steps: Steps[None], pictures: Path) -> None:
    """Run a scenario by a timer, then quit Blender: code 0, or 1 with a traceback and `failed.png`."""

    def tick() -> float | None:
        try:
            return next(steps)
        except StopIteration:
            bpy.ops.wm.quit_blender()
            return None
        except BaseException:  # noqa: BLE001  # whatever it is, Blender would stay open for ever
            traceback.print_exc()
            take_picture(pictures / "failed.png")
            sys.stdout.flush()
            os._exit(1)

    bpy.app.timers.register(tick, first_interval=0.3)


def until(condition: Callable[[], object], what: str, timeout_s: float = 15.0) -> Steps[None]:
    """Wait for a condition.

    Raises:
        OverdueError: it did not come true; says `what` was waited for.
    """
    began = time.monotonic()
    while not condition():
        if time.monotonic() > began + timeout_s:
            raise OverdueError(f"waited {timeout_s:g} s for {what}")
        yield 0.02
    say(f"waited {time.monotonic() - began:.1f} s for {what}")


def say(text: str) -> None:
    """A line for whoever reads why a scenario failed, or where its time went."""
    print(f"{time.monotonic() - BEGAN:7.1f} s  {text}", flush=True)


def take_picture(path: Path) -> None:
    """The whole screen as PNG. Through X: Blender's own screenshot is black in 5.2 on a software driver."""
    say(f"picture {path.name}")
    subprocess.run(["scrot", "--overwrite", str(path)], check=False, timeout=20)


class Pointer:
    """Mouse and keyboard of the first window. Places are pixels from its lower left corner."""

    def __init__(self) -> None:
        self.window = bpy.context.window_manager.windows[0]
        self.place: Place = (0, 0)

    def event(self, kind: str, value: str, **more: object) -> None:
        """One event at the pointer's place, as `Window.event_simulate` takes it."""
        x, y = self.place
        self.window.event_simulate(type=kind, value=value, x=x, y=y, **more)

    def move(self, place: Place) -> Steps[None]:
        """Bring the pointer to a place."""
        self.place = place
        self.event("MOUSEMOVE", "NOTHING")
        yield BEAT

    def click(self, place: Place, button: str = "LEFTMOUSE") -> Steps[None]:
        """Press and release a mouse button at a place."""
        yield from self.move(place)
        yield from self.move(place)  # the first one enters the region, the second one the button
        self.event(button, "PRESS")
        yield BEAT
        self.event(button, "RELEASE")
        yield BEAT

    def key(self, key: str, **modifiers: bool) -> Steps[None]:
        """Press and release a key, by Blender's name for it."""
        self.event(key, "PRESS", **modifiers)
        self.event(key, "RELEASE", **modifiers)
        yield BEAT

    def write(self, text: str) -> Steps[None]:
        """Type letters, digits and a little punctuation into the text field that is being edited."""
        for letter in text:
            key = KEYS.get(letter) or letter.upper()
            self.event(key, "PRESS", unicode=letter, shift=letter.isupper())
            self.event(key, "RELEASE", shift=letter.isupper())
        yield BEAT


class Sidebar:
    """The 3D viewport's sidebar, one tab of it, and what is in it."""

    def __init__(self, pointer: Pointer, tab: str, panel: str) -> None:
        self.pointer, self.tab, self.panel = pointer, tab, panel
        self.opened = False
        self.places: dict[str, tuple[int, int, int, int]] = {}  # picture → left, top, right, bottom

    @property
    def area(self) -> bpy.types.Area:
        """The viewport. Looked up anew: changing the layout replaces areas."""
        return next(area for area in self.pointer.window.screen.areas if area.type == "VIEW_3D")

    @property
    def region(self) -> bpy.types.Region:
        """The sidebar's region of the viewport."""
        return next(region for region in self.area.regions if region.type == "UI")

    def open(self) -> Steps[None]:
        """Let the viewport fill the window, show its sidebar and open the tab, where that is still to do."""
        if self.opened:
            yield from self.scroll(up=True)
            return
        area = self.area
        yield from self.pointer.move((area.x + area.width // 3, area.y + area.height // 2))
        yield from self.pointer.key("SPACE", ctrl=True)
        yield from until(lambda: self.area.width > 0.95 * self.pointer.window.width, "a maximised viewport")
        self.area.spaces.active.show_region_ui = True
        yield from until(lambda: self.region.width > 50, "the sidebar")
        with self.draws() as draws:
            yield from self._open_tab(draws)
        self.opened = True

    @contextmanager
    def draws(self, name: str = "") -> Iterator[list[object]]:
        """A list that grows whenever a panel is drawn; without a name the tab's."""
        draws: list[object] = []

        def drawn(*_panel_and_context: object) -> None:
            draws.append(None)

        panel = getattr(bpy.types, name or self.panel)
        panel.append(drawn)
        try:
            yield draws
        finally:
            panel.remove(drawn)

    def _open_tab(self, draws: list) -> Steps[None]:
        below = 165  # behind Blender's own three tabs
        end = time.monotonic() + 30
        while not draws:
            if time.monotonic() > end:
                raise OverdueError(f"waited 30 s for the tab {self.tab}")
            if "active_panel_category" in bpy.types.Region.bl_rna.properties:
                # Until the region was drawn once it is read-only, then knows no such tab.
                with suppress(AttributeError, TypeError):
                    self.region.active_panel_category = self.tab
                self.area.tag_redraw()
                yield 0.2
            else:  # before Blender 4.2 a tab has to be clicked, and only its column is known
                region = self.region
                place = (region.x + region.width - 8, region.y + region.height - below)
                yield from self.pointer.click(place)
                below = below + 35 if below < 400 else 25
                with suppress(OverdueError):
                    yield from until(lambda: draws, "the tab", 1.5)

    def redraw(self) -> Steps[None]:
        """Wait until the panel was drawn anew and has come to the screen, however busy the machine is."""
        with self.draws() as draws:
            for _ in range(2):  # what is drawn now may have begun before what should be seen
                draws.clear()
                self.region.tag_redraw()  # alone: a software driver takes far longer for the viewport
                yield from until(lambda: draws, "a redraw")
        yield 0.3

    def scroll(self, *, up: bool = False) -> Steps[None]:
        """Bring up the lower half of what does not fit, or the top again."""
        operator = bpy.ops.view2d.scroll_up if up else bpy.ops.view2d.scroll_down
        times = 100 if up else self.region.height // 80  # 40 pixels each; it ends at the end
        with bpy.context.temp_override(window=self.pointer.window, area=self.area, region=self.region):
            for _ in range(times):
                operator()
        yield from self.redraw()

    def under(self, place: Place) -> Steps[str]:
        """What is at a place: `bpy.ops.…()` for an operator, a data path for a property, else nothing."""
        yield from self.pointer.move(place)
        manager = bpy.context.window_manager
        questions = (
            (bpy.ops.ui.copy_python_command_button, {}),
            (bpy.ops.ui.copy_data_path_button, {"full_path": True}),
        )
        with bpy.context.temp_override(window=self.pointer.window, area=self.area, region=self.region):
            for ask, how in questions:
                manager.clipboard = ""
                if ask.poll() and "FINISHED" in ask(**how):
                    return manager.clipboard
        return ""

    def find(self, *names: str, across: tuple[float, ...] = (0.5, 0.2, 0.8)) -> Steps[dict[str, Place]]:
        """Where widgets are, from a look down the sidebar; scrolls down where they are not in sight.

        Args:
            names: parts of what `under` says, such as `patina.generate` or `patina.prompt`.
            across: columns to look in, as shares of the sidebar's width, until all are found.

        Raises:
            LookupError: some are not there; says which widgets are.
        """
        try:
            return (yield from self.look(*names, across=across))
        except LookupError:
            yield from self.scroll()
            return (yield from self.look(*names, across=across))

    def look(self, *names: str, across: tuple[float, ...]) -> Steps[dict[str, Place]]:
        """As `find`, in what is in sight."""
        found: dict[str, list[Place]] = {}
        seen: set[str] = set()
        region = self.region
        for share in across:
            x = int(region.x + share * region.width)
            for y in range(region.y + region.height - 4, region.y + 4, -12):  # no widget is lower
                widget = yield from self.under((x, y))
                seen.add(widget)
                name = next((name for name in names if name in widget), None)
                if name is None and len(found) == len(names):
                    break  # below the last one
                if name is not None and (name not in found or found[name][0][0] == x):
                    found.setdefault(name, []).append((x, y))
            if len(found) == len(names):
                say(f"found {', '.join(names)}")
                return {name: places[len(places) // 2] for name, places in found.items()}
        raise LookupError(f"not in the sidebar: {sorted(set(names) - set(found))}; seen: {sorted(seen)}")

    def picture(self, path: Path) -> Steps[None]:
        """A picture of the window after a redraw, with the pointer out of the way.

        Beside the pictures `places.json` says where in them the sidebar is, and which Blender this is.
        """
        area = self.area
        yield from self.pointer.move((area.x + area.width // 3, area.y + 40))
        self.area.tag_redraw()
        yield from self.redraw()
        take_picture(path)
        region, height = self.region, self.pointer.window.height
        top = height - region.y - region.height
        self.places[path.stem] = (region.x, top, region.x + region.width, top + region.height)
        noted = {"version": bpy.app.version_string, "sidebars": self.places}
        path.with_name("places.json").write_text(json.dumps(noted))
