"""What the tests stand on: a timer turned by hand, a layout that records, a run that needs no engine."""

from __future__ import annotations

import os
import struct
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Self

import bpy

ROOT = Path(__file__).resolve().parents[2]
MAPS = ("basecolor", "normal_gl", "roughness", "metallic", "height", "ao")


def engine_python() -> Path:
    """The engine's interpreter: what the environment names, else the checkout's own."""
    for name in ("PATINA_TEST_ENGINE_PYTHON", "PATINA_ENGINE_PYTHON"):
        if os.environ.get(name):
            return Path(os.environ[name])
    inside = "Scripts/python.exe" if sys.platform == "win32" else "bin/python"
    return ROOT / ".env" / "engine" / inside


def with_linked_mesh(folder: Path) -> bpy.types.Object:
    """An object here, the active one and alone selected, whose mesh is the cube's of another file."""
    path = folder / "mesh.blend"
    bpy.data.libraries.write(str(path), {bpy.data.objects["Cube"].data})
    with bpy.data.libraries.load(str(path), link=True) as (_, linked):
        linked.meshes = ["Cube"]
    item = bpy.data.objects.new("Linked", linked.meshes[0])
    bpy.context.collection.objects.link(item)
    bpy.ops.object.select_all(action="DESELECT")
    item.select_set(True)
    bpy.context.view_layer.objects.active = item
    return item


def gone(pid: int) -> bool:
    """Whether there is no such process any more, or only a zombie that is not ours to collect."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def wait_gone(pid: int, timeout_s: float = 10.0) -> None:
    """Wait for the end of a process."""
    end = time.monotonic() + timeout_s
    while not gone(pid):
        assert time.monotonic() < end, f"process {pid} still runs after {timeout_s:g} s"
        time.sleep(0.02)


class TimerPump:
    """Stands in for bpy.app.timers' functions while it is entered. `turn` calls what is due, in real time."""

    def __enter__(self) -> Self:
        timers = bpy.app.timers
        self.queue: dict[Callable, float] = {}
        self.intervals: list[float] = []
        self.persistent: dict[Callable, bool] = {}
        self._real = timers.register, timers.unregister, timers.is_registered
        timers.register, timers.unregister = self._register, self._unregister
        timers.is_registered = self.queue.__contains__
        return self

    def __exit__(self, *_: object) -> None:
        timers = bpy.app.timers
        timers.register, timers.unregister, timers.is_registered = self._real

    def _register(self, function: Callable, first_interval: float = 0, persistent: bool = False) -> None:
        self.queue[function] = time.monotonic() + first_interval
        self.persistent[function] = persistent

    def _unregister(self, function: Callable) -> None:
        if function not in self.queue:
            raise ValueError("Error: function is not registered")
        del self.queue[function]

    def turn(self) -> None:
        """Sleep to the next timer, no longer than a moment, and call what is due."""
        time.sleep(0.01)
        for function, due in tuple(self.queue.items()):
            if time.monotonic() >= due and function in self.queue:
                del self.queue[function]
                interval = function()
                if interval is not None:
                    self.intervals.append(interval)
                    self.queue.setdefault(function, time.monotonic() + interval)


class Blender:
    """The add-on as a test sees it."""

    def __init__(self, package: ModuleType, timers: TimerPump, folder: Path) -> None:
        self.package, self.timers, self.folder = package, timers, folder

    @property
    def session(self):
        return sys.modules["patina.pump"].session

    @property
    def inputs(self):
        return bpy.context.scene.patina

    @property
    def state(self):
        return bpy.context.window_manager.patina

    def until(self, condition: Callable[[], object], timeout_s: float = 120.0) -> None:
        """Turn the timers until the condition is true."""
        end = time.monotonic() + timeout_s
        while not condition():
            seen = f"{self.state.state} {self.state.status!r} {self.state.message!r} {self.state.log_tail}"
            assert time.monotonic() < end, f"nothing in {timeout_s:g} s: {seen}"
            self.timers.turn()

    def finish_run(
        self, variations: int = 2, prompt: str = "red bricks", maps: tuple[str, ...] = MAPS, **facts: object
    ) -> None:
        """Let the session take a summary, with files that are really there; facts are of every variation."""
        folder = self.folder / f"run {len(list(self.folder.iterdir()))}"
        folder.mkdir()
        entries = []
        for rank in range(1, variations + 1):
            files = {name: f"bricks_v{rank}_{name}.png" for name in maps}
            for name, file in files.items():
                write_png(folder / file, name)
            entries.append(
                {"rank": rank, "judge_score": 0.9 / rank, "guide_score": 0.5, "seam": 1.0, "seed": 7,
                 "relief": 0.04, "files": files, "sidecar": "", **facts}
            )  # fmt: skip
        summary = {"prompt": prompt, "folder": str(folder), "variations": entries, "warnings": []}
        self.session._take_summary(summary)
        sys.modules["patina.pump"].mirror()


COLOURS = {
    "basecolor": (180, 70, 50),
    "normal_gl": (128, 128, 255),
    "roughness": (150,) * 3,
    "metallic": (0,) * 3,
    "ao": (255,) * 3,
    "emission": (250, 90, 10),
    "alpha": (255,) * 3,
}


def write_png(path: Path, name: str) -> None:
    """A small PNG of one colour, as the map of that name would have it; the height is grey of 16 bits."""
    side, height = 16, name == "height"
    row = b"\x80\x00" * side if height else bytes(COLOURS[name]) * side
    raw = (b"\0" + row) * side
    header = struct.pack(">IIBBBBB", side, side, 16 if height else 8, 0 if height else 2, 0, 0, 0)
    with path.open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        for kind, content in ((b"IHDR", header), (b"IDAT", zlib.compress(raw)), (b"IEND", b"")):
            checksum = zlib.crc32(kind + content)
            file.write(struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum))


class Layout:
    """A stand-in for UILayout that records, and refuses what the running Blender's UILayout would refuse."""

    RNA = bpy.types.UILayout.bl_rna
    INNER = ("row", "column", "box", "split", "grid_flow", "column_flow")

    def __init__(self, calls: list | None = None) -> None:
        object.__setattr__(self, "calls", [] if calls is None else calls)

    def __setattr__(self, name: str, value: object) -> None:
        if name not in self.RNA.properties:
            raise AttributeError(f"UILayout has no property {name}")
        self.calls.append((name, value))

    def __getattr__(self, name: str) -> Callable:
        if name not in self.RNA.functions:
            raise AttributeError(f"UILayout.{name} is not in Blender {bpy.app.version_string}")

        def call(*positional: object, **named: object) -> object:
            return self._call(self.RNA.functions[name], positional, named)

        return call

    def _call(self, function, positional: tuple, named: dict) -> object:
        known = [item for item in function.parameters if not item.is_output]
        names = [item.identifier for item in known]
        if len(positional) > len(names) or set(named) - set(names):
            raise TypeError(f"{function.identifier}() does not take these: {positional} {named}")
        given = {**dict(zip(names, positional, strict=False)), **named}
        for item in known:
            if item.is_required and item.identifier not in given:
                raise TypeError(f"{function.identifier}() lacks {item.identifier}")
            value = given.get(item.identifier)
            if item.type == "ENUM" and isinstance(value, str) and value not in item.enum_items:
                raise TypeError(f"{function.identifier}({item.identifier}={value!r}) is no value of it")
            if item.type == "STRING" and item.identifier in given and not isinstance(value, str):
                raise TypeError(f"{function.identifier}({item.identifier}={value!r}) is no text")
        data, name = given.get("data"), given.get("property")
        if data is not None and name is not None and name not in data.bl_rna.properties:
            raise AttributeError(f"{type(data).__name__} has no property {name!r}")
        self.calls.append((function.identifier, given))
        if function.identifier == "operator":
            module, operator = given["operator"].split(".")
            rna = getattr(getattr(bpy.ops, module), operator).get_rna_type()  # KeyError if not registered
            return SimpleNamespace(**dict.fromkeys(rna.properties.keys()))
        return Layout(self.calls) if function.identifier in self.INNER else None

    def operators(self) -> list[str]:
        """The buttons that were drawn."""
        return [given["operator"] for name, given in self.calls if name == "operator"]

    def texts(self) -> list[str]:
        """Every text that was drawn."""
        return [given["text"] for name, given in self.calls if isinstance(given, dict) and given.get("text")]

    def properties(self) -> list[str]:
        """Every property that was drawn."""
        return [
            given["property"]
            for name, given in self.calls
            if name in {"prop", "progress"} and "property" in given
        ]


def draw(panel: type) -> Layout:
    """Run a panel's draw()."""
    layout = Layout()
    panel.draw(SimpleNamespace(layout=layout), bpy.context)
    return layout
