"""What an artist does with Patina, done by a program: `build.py demo` runs it in the bpy module.

Everything goes through the add-on's own properties and operators. Without a window Blender runs no timers, so
the add-on's pump is called from here, as Blender would call it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bar import Bar

ADDON = Path(__file__).resolve().parents[1]
PATIENCE_S = 600  # for a material on a slow machine
CONTACT_SHEET = """
import json, pathlib, sys
from engine.material.contact import contact_sheet
print(contact_sheet(pathlib.Path(sys.argv[1]), json.load(sys.stdin)).name)
"""


class DemoError(Exception):
    """Ends the demo with a sentence."""


def main() -> int:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--prompt", required=True)
    arguments.add_argument("--preset", required=True)
    arguments.add_argument("--out", required=True, type=Path)
    wanted = arguments.parse_args()
    wanted.out.mkdir(parents=True, exist_ok=True)
    log = wanted.out / "blender.log"
    with tempfile.TemporaryDirectory() as resources, stdout_kept(log) as terminal:
        bar = Bar(terminal)
        try:
            summary = make_everything(wanted, Path(resources), bar)
        except Exception as error:  # noqa: BLE001  # the outermost frame: one sentence here, the rest in the log
            traceback.print_exc()
            bar.end()
            known = isinstance(error, DemoError)
            sentence = str(error) if known else f"The demo hit a bug: {error!r}."
            print(f"{sentence}\nBlender's own words are in {log}.", file=terminal)
            return 1
        bar.end()
        print(table(summary, wanted.out), file=terminal)
    return 0


@contextmanager
def stdout_kept(log: Path) -> Iterator[Any]:
    """The terminal for us, and a file for Blender, whose C code writes straight to the descriptors."""
    terminal = os.fdopen(os.dup(1), "w", encoding=sys.stdout.encoding, errors="replace")
    with log.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    with terminal:
        yield terminal


def make_everything(wanted: argparse.Namespace, resources: Path, bar: Bar) -> dict[str, Any]:
    """The whole way, from Blender's start to files on disk. Returns what summary.json says."""
    begun = time.monotonic()
    bar.phase("Starting Blender", 0.0, 0.03)
    bpy = start_blender(resources)
    bar.phase("Setting the stage", 0.03, 0.05)
    import stage

    shown = stage.build(bpy.context.scene)
    preferences = bpy.context.preferences.addons["patina"].preferences
    preferences.results_folder = str(wanted.out)
    folder = generate(bpy, wanted, bar)
    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    apply_first(bpy, shown)
    started = time.monotonic()
    bar.phase("Rendering", 0.70, 0.95)
    render(bpy, wanted.out / "render.png", bar)
    summary["seconds"]["render"] = round(time.monotonic() - started, 2)
    bar.phase("Writing the .blend and the contact sheet", 0.95, 1.0)
    save(bpy, wanted.out / "material.blend")
    bpy.ops.preferences.addon_disable(module="patina")  # ends the engine
    for variation in summary["variations"]:
        rebase(variation, folder.relative_to(wanted.out))
    sheet = draw_contact_sheet(summary, wanted.out)
    summary["seconds"]["demo"] = round(time.monotonic() - begun, 2)
    summary |= {"render": "render.png", "blend": "material.blend", "contact_sheet": sheet}
    (wanted.out / "summary.json").write_text(json.dumps(summary, indent=2, ensure_ascii=False), "utf-8")
    return summary


def start_blender(resources: Path) -> Any:
    """Blender with settings of its own, and the checkout's add-on switched on as an artist would."""
    addons = resources / "scripts" / "addons"
    addons.mkdir(parents=True)
    link = addons / "patina"
    if os.name == "nt":
        import _winapi

        _winapi.CreateJunction(str(ADDON), str(link))  # unlike a symbolic link, anyone may make one
    else:
        link.symlink_to(ADDON, target_is_directory=True)
    os.environ["BLENDER_USER_RESOURCES"] = str(resources)  # Blender reads it when it is imported
    import bpy

    bpy.ops.preferences.addon_enable(module="patina")
    if "patina" not in bpy.context.preferences.addons:
        raise DemoError("Blender cannot switch the add-on on.")
    return bpy


def generate(bpy: Any, wanted: argparse.Namespace, bar: Bar) -> Path:
    """Fill in the panel, press Generate, and wait. Returns the folder of the result."""
    inputs, state = bpy.context.scene.patina, bpy.context.window_manager.patina
    inputs.prompt, inputs.lock_seed = wanted.prompt, True  # the same material every time
    try:
        inputs.preset = wanted.preset
    except TypeError as error:
        raise DemoError(f"There is no preset {wanted.preset!r} in presets/.") from error
    bar.phase("Starting the engine", 0.05, 0.70)
    press(bpy.ops.patina.generate)
    pump = sys.modules["patina.pump"]
    late = time.monotonic() + PATIENCE_S
    while state.job:
        time.sleep(pump.tick() or 0.05)
        bar.show(state.progress, state.status)
        if time.monotonic() > late:
            raise DemoError(f"No material after {PATIENCE_S} seconds.")
    if not state.results:
        raise DemoError(state.message or "The engine ended without a result.")
    return Path(bpy.path.abspath(state.results[0].basecolor)).parent


def press(operator: Any, **options: Any) -> None:
    """Run an operator; what it reports as an error ends the demo."""
    try:
        outcome = operator(**options)
    except RuntimeError as error:
        raise DemoError(str(error).removeprefix("Error: ").strip()) from error
    if outcome != {"FINISHED"}:
        raise DemoError(f"{operator.idname_py()} answered {outcome}.")


def apply_first(bpy: Any, shown: Any) -> None:
    shown.select_set(True)
    bpy.context.view_layer.objects.active = shown
    bpy.context.window_manager.patina.selected = 0
    press(bpy.ops.patina.apply)
    if not shown.active_material:
        raise DemoError("Apply left the object without a material.")


def render(bpy: Any, picture: Path, bar: Bar) -> None:
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.render.resolution_x, scene.render.resolution_y = 800, 600
    scene.render.resolution_percentage = 100
    scene.cycles.device, scene.cycles.samples = "CPU", 32
    scene.cycles.use_denoising = True
    scene.view_settings.view_transform, scene.view_settings.look = "AgX", "AgX - Medium High Contrast"
    scene.render.filepath = str(picture)
    bpy.app.handlers.render_stats.append(lambda stats, *_: bar.show(samples_done(stats), ""))
    bpy.ops.render.render(write_still=True)


def samples_done(stats: Any) -> float:
    """The share of samples in a line such as "Fra:1 | ... | Sample 12/32"."""
    done, _, total = str(stats).rpartition("Sample ")[2].partition("/")
    return int(done) / int(total.split()[0]) if done.isdigit() and total else 0.0


def save(bpy: Any, file: Path) -> None:
    """One file that shows the material anywhere: its textures are inside."""
    bpy.ops.file.pack_all()
    bpy.ops.wm.save_as_mainfile(filepath=str(file), compress=True, check_existing=False)


def rebase(variation: dict[str, Any], folder: Path) -> None:
    """Paths relative to the result's folder → relative to the demo's."""
    variation["files"] = {kind: (folder / name).as_posix() for kind, name in variation["files"].items()}
    variation["sidecar"] = (folder / variation["sidecar"]).as_posix()


def draw_contact_sheet(summary: dict[str, Any], out: Path) -> str:
    """Draw it with the engine's Python, which has what it takes. Returns the name of its file."""
    command = [os.environ["PATINA_ENGINE_PYTHON"], "-c", CONTACT_SHEET, str(out)]
    drawn = subprocess.run(
        command, cwd=ADDON.parent, input=json.dumps(summary), stdout=subprocess.PIPE, text=True, check=False
    )
    if drawn.returncode:
        raise DemoError("The contact sheet could not be drawn.")
    return drawn.stdout.strip()


def table(summary: dict[str, Any], out: Path) -> str:
    """What summary.json says, short enough to read."""
    lines = [
        f"{summary['prompt']!r}, preset {summary['preset']}, pack {summary['pack']}, seed {summary['seed']}",
        "",
        "  rank   judge   guide    seam        seed  base colour",
    ]
    for v in summary["variations"]:
        scores = f"{v['judge_score']:8.3f}{v['guide_score']:8.3f}{v['seam']:8.2f}{v['seed']:12d}"
        lines.append(f"  {v['rank']:4d}{scores}  {v['files']['basecolor']}")
    seconds = ", ".join(f"{name} {took:.1f}" for name, took in summary["seconds"].items())
    shown = [f"  {out / summary[name]}" for name in ("render", "contact_sheet", "blend")]
    warnings = [f"  Note: {warning}" for warning in summary["warnings"]]
    return "\n".join([*lines, "", f"  Seconds: {seconds}", *warnings, *shown])


if __name__ == "__main__":
    code = 130
    with suppress(KeyboardInterrupt):
        code = main()
    os._exit(code)  # some versions of bpy crash or hang when Python winds down
