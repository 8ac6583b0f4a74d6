#!/usr/bin/env python3
"""Patina's one door for people: demo, test, package, bench and train.

Needs nothing but Python 3.11 and its standard library; what else is wanted is set up in .env/ on first use.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parent
ENV = ROOT / ".env"
WINDOWS = os.name == "nt"
DEMO_BLENDER, DEMO_PROMPT = "bpy-5.0", "mossy cobblestones"


class Failed(Exception):
    """Ends the command with a sentence for the person in front of it."""


def environment_variables(**extra: str) -> dict[str, str]:
    """Our own variables, less those that lead another Python astray, as those of an active venv do.

    Nor shall every process compile its imports anew: for torch and what is on top that takes six seconds.
    """
    astray = {"VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PIP_TARGET", "PIP_USER"}
    astray |= {"PYTHONDONTWRITEBYTECODE"}  # of many a container image
    return {name: value for name, value in os.environ.items() if name not in astray} | extra


def run(
    *command: str | Path, timeout_s: float | None = None, log: IO[bytes] | None = None, **extra: str
) -> int:
    """Run a command in the checkout; 124 when it took too long.

    Args:
        log: where its output goes; None: straight to the person.
    """
    sys.stdout.flush()
    with subprocess.Popen(
        [*map(str, command)],
        cwd=ROOT,
        env=environment_variables(**extra),
        stdout=log,
        stderr=None if log is None else subprocess.STDOUT,
    ) as child:
        try:
            return child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return 124
        finally:
            child.kill()  # does nothing to one that has ended


def step(title: str, *command: str | Path) -> None:
    """Run one set-up step behind a line that shows that it lives. Raises Failed with the reason."""
    started = time.monotonic()
    log = ENV / "setup.log"
    with (
        log.open("wb") as file,
        subprocess.Popen(
            [*map(str, command)],
            cwd=ROOT,
            env=environment_variables(),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        ) as child,
    ):
        try:
            while child.poll() is None:
                show_life(title, time.monotonic() - started, log)
                time.sleep(0.1)
        finally:
            child.kill()
    if sys.stdout.isatty():
        sys.stdout.write("\r\033[K")
    if child.returncode:
        raise Failed(reason(title, log.read_text("utf-8", "replace")))
    print(f"  {title}: {time.monotonic() - started:.0f} s", flush=True)


def show_life(title: str, seconds: float, log: Path) -> None:
    if sys.stdout.isatty():
        last = log.read_text("utf-8", "replace").strip().rpartition("\n")[2].strip()
        line = f"  {'|/-'[int(seconds * 8) % 3]} {title}: {seconds:.0f} s  {last}"
        sys.stdout.write(f"\r\033[K{line[: shutil.get_terminal_size().columns - 1]}")
        sys.stdout.flush()


def reason(title: str, output: str) -> str:
    """One sentence for what is known to go wrong in a set-up step, and the end of its output."""
    no_network = (
        "The package registry cannot be reached. Setting up needs the network once: "
        "check the connection (and proxy or mirror settings), then run this again."
    )
    known = {
        "ensurepip": "This Python cannot make environments. Install its venv part (Debian: python3-venv).",
        "No space left": "The disk is full. The environments take about 8 GB.",
        "error sending request": no_network,  # uv
        "network was disabled": no_network,
        "from versions: none": no_network,  # pip
    }
    sentence = next((text for sign, text in known.items() if sign in output), f"{title}: this step failed.")
    tail = "\n".join(f"    {line}" for line in output.strip().splitlines()[-12:])
    return f"{sentence}\n\n{tail}"


def python_of(name: str) -> Path:
    """Where an environment's interpreter is, whether made or not."""
    return ENV / name / ("Scripts/python.exe" if WINDOWS else "bin/python")


def environment(name: str) -> Path:
    """The interpreter of an environment, which is made first if missing, half made or out of date."""
    if not is_ready(name):
        with setup_lock():
            if not is_ready(name):  # another build.py may have made it while we waited
                make_environment(name)
    return python_of(name)


def is_ready(name: str) -> bool:
    stamp = ENV / name / "patina.stamp"
    return stamp.is_file() and stamp.read_text() == fingerprint(name) and python_of(name).exists()


def fingerprint(name: str) -> str:
    """Changes with the lock and with the place of the checkout: an environment holds absolute paths."""
    digest = hashlib.sha256(lock_file(name).read_bytes()).hexdigest()
    return f"{digest}\n{ROOT}\n"


def lock_file(name: str) -> Path:
    return ROOT / "requirements" / f"{name}.txt"


def make_environment(name: str) -> None:
    """Make it anew. The stamp comes last, so that one cut short is made again."""
    folder = ENV / name
    shutil.rmtree(folder, ignore_errors=True)
    if name == "tools":
        pip = (python_of(name), "-m", "pip", "--disable-pip-version-check", "install", "--require-hashes")
        step("Making the environment 'tools'", sys.executable, "-m", "venv", folder)
        step("Installing uv, which installs the rest", *pip, "-r", lock_file(name))
    else:
        uv = ENV / "tools" / ("Scripts/uv.exe" if WINDOWS else "bin/uv")
        if not is_ready("tools"):
            make_environment("tools")
        python = sys.executable if sys.version_info[:2] == (3, 11) else "3.11"
        step(f"Making the environment {name!r}", uv, "venv", "--python", python, folder)
        sync = ("pip", "sync", "--require-hashes", "--python", python_of(name), lock_file(name))
        step(f"Installing what {name!r} needs", uv, *sync)
    (folder / "patina.stamp").write_text(fingerprint(name))


@contextlib.contextmanager
def setup_lock() -> Iterator[None]:
    """One set-up at a time in a checkout. The system drops the lock when its holder dies."""
    ENV.mkdir(exist_ok=True)
    with (ENV / "setup.lock").open("a+b") as file:
        if not try_lock(file.fileno()):
            print("Another build.py is setting up this checkout: waiting for it.", flush=True)
            while not try_lock(file.fileno()):
                time.sleep(0.5)
        yield


def try_lock(descriptor: int) -> bool:
    try:
        if WINDOWS:
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@dataclass(frozen=True)
class Stage:
    """Tests that run together: in which environment, on which paths, for how long at most.

    Attributes:
        alone: whether it keeps all cores busy. Of the others two run at a time, each on half of the cores.
    """

    title: str
    environment: str
    paths: tuple[str, ...]
    without: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    timeout_s: float = 20 * 60
    alone: bool = False

    def owns(self, path: str) -> bool:
        """Whether a path as pytest takes it (tests/a.py::test_b) is this stage's to run."""
        place = Path(path.partition("::")[0])
        return any(map(place.is_relative_to, self.paths)) and not any(map(place.is_relative_to, self.without))


if TYPE_CHECKING:  # an older Python must get as far as main()'s sentence
    Job = Callable[[IO[bytes] | None], Counter[str]]  # says what it has to say there, None: to the person
CHECKS = {
    "style": ("ruff", "check", "--quiet"),
    "format": ("ruff", "format", "--check", "--quiet"),
}
TYPES = ("mypy",)
HALF_THE_CORES = str(max(1, (os.cpu_count() or 1) // 2))
STAGES = (
    Stage(
        "engine",
        "dev",
        ("tests/engine", "tests/addon/link", "tests/test_build.py"),
        options=("-n", "auto", "--dist", "worksteal"),  # no worker idles while another has tests before it
        timeout_s=40 * 60,
        alone=True,
    ),
    Stage("windows", "dev", ("tests/gui",)),  # the longest of those that run two at a time, so it begins
    *(
        # Blender dies or hangs on leaving when a timer was left behind: the time limit ends that, too.
        Stage(
            f"Blender {version}",
            f"bpy-{version}",
            ("tests/addon",),
            without=("tests/addon/link",),
            options=("-n", HALF_THE_CORES, "--dist", "loadfile"),  # a module's engine serves all of its tests
        )
        for version in ("4.2", "4.5", "5.0")
    ),
)


def test(arguments: Sequence[str]) -> int:
    """Every check and test. With pytest arguments only pytest, and with paths only what they name."""
    count: Counter[str] = Counter()
    for title, command in CHECKS.items() if not arguments else ():
        count += check(title, command)
    paths = [argument for argument in arguments if argument.startswith("tests")]
    options = [argument for argument in arguments if argument not in paths]
    wanted: dict[Stage, list[str]] = {}
    for stage in STAGES:
        existing = [path for path in stage.paths if (ROOT / path).exists()]
        if mine := [path for path in paths if stage.owns(path)] if paths else existing:
            environment(stage.environment)
            wanted[stage] = [*mine, *options]
    jobs: dict[str, Job] = {
        stage.title: partial(run_stage, stage, mine) for stage, mine in wanted.items() if not stage.alone
    }
    if not arguments:
        jobs["types"] = partial(check, "types", TYPES)  # the shortest
    windows = any(stage.title == "windows" for stage in wanted)
    with blender_of_sid() if windows else contextlib.nullcontext():
        for stage, mine in wanted.items():
            if stage.alone:
                count += run_stage(stage, mine)
        if len(jobs) > 1:
            print(f"\nTwo at a time, each shown when it ends: {', '.join(jobs)}", flush=True)
        count += two_at_a_time([*jobs.values()])
    print("{passed} passed, {failed} failed, {skipped} skipped".format_map(count))
    return 1 if count["failed"] or not count["passed"] else 0


@contextlib.contextmanager
def blender_of_sid() -> Iterator[None]:
    """Have it made meanwhile: much of that is waiting for a mirror. Window tests say why it is missing."""
    nowhere = subprocess.DEVNULL
    maker = (sys.executable, ROOT / "tests/gui/make_sid.py")
    with subprocess.Popen(maker, cwd=ROOT, stdin=nowhere, stdout=nowhere, stderr=nowhere):
        yield


def two_at_a_time(jobs: Sequence[Job]) -> Counter[str]:
    """Run them side by side, the first ones first, and show what each has to say when it ends."""

    def kept(job: Job) -> tuple[bytes, Counter[str]]:
        with tempfile.TemporaryFile() as log:
            count = job(log)
            log.seek(0)
            return log.read(), count

    count: Counter[str] = Counter()
    if len(jobs) == 1:
        return jobs[0](None)
    pool = ThreadPoolExecutor(2)
    try:
        for ended in as_completed([pool.submit(kept, job) for job in jobs]):
            said, outcome = ended.result()
            print(said.decode("utf-8", "replace"), end="", flush=True)
            count += outcome
    finally:
        pool.shutdown(cancel_futures=True)
    return count


def say(text: str, log: IO[bytes] | None) -> None:
    if log is None:
        print(text, flush=True)
    else:
        log.write(f"{text}\n".encode())
        log.flush()  # or what a child writes there stands above


def check(title: str, command: Sequence[str], log: IO[bytes] | None = None) -> Counter[str]:
    """Run one of the development tools; a finding counts as a failure."""
    say(f"\n--- {title} ---", log)
    if not run(environment("dev"), "-m", *command, log=log):
        return Counter()
    say(f"The check of {title} failed: {' '.join(command)}", log)
    return Counter(failed=1)


def run_stage(stage: Stage, arguments: Sequence[str], log: IO[bytes] | None = None) -> Counter[str]:
    """Run one stage's pytest and count its outcome; dying or hanging counts as one more failure."""
    python = environment(stage.environment)
    say(f"\n--- {stage.title} ---", log)
    count: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        ignored = [f"--ignore={path}" for path in stage.without]
        code = run(
            python,
            *("-m", "pytest", *stage.options, *ignored, f"--junitxml={report}", *arguments),
            timeout_s=stage.timeout_s,
            log=log,
            PATINA_ENGINE_PYTHON=str(environment("dev")),
            OMP_NUM_THREADS="1",  # two workers on two cores would get in each other's way
        )
        if report.exists():
            add_report(report, count)
    nothing_to_run = 5  # pytest's exit code, an honest one where -k or a path leaves a stage empty
    if code not in {0, nothing_to_run} and not count["failed"]:
        say(f"{stage.title}: pytest ended with {code}" + (", out of time" if code == 124 else ""), log)
        count["failed"] += 1
    return count


def add_report(report: Path, count: Counter[str]) -> None:
    for suite in ET.parse(report).getroot().iter("testsuite"):  # noqa: S314  # pytest has just written it
        total, failures, errors, skipped = (
            int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped")
        )
        failed = failures + errors
        count.update(passed=total - failed - skipped, failed=failed, skipped=skipped)


def package() -> int:
    """Write what people install: the add-on, approved by Blender's validator, a repository, the engine."""
    engine = write_engine_zip(ROOT / "dist")
    archive = write_zip(ROOT / "dist", engine)
    tool = blenders_packager()
    tags = tool.parents[3] / "modules/_bpy_internal/extensions/tags.py"
    if run(sys.executable, tool, "validate", "--valid-tags", tags, archive):
        raise Failed(f"Blender's validator refuses {archive.name}: its reasons stand above.")
    index = write_repository(ROOT / "dist" / "repository", archive, tool)
    print(f"{archive.relative_to(ROOT)}: {archive.stat().st_size / 1024:.0f} KiB")
    print(f"{engine.relative_to(ROOT)}: {engine.stat().st_size / 1e6:.0f} MB, which the add-on installs from")
    print(f"{index.parent.relative_to(ROOT)}: upload it, and name the address of its index.json in Blender")
    return 0


def blenders_packager() -> Path:
    """Blender's command for extensions, out of the demo's bpy."""
    site_packages = environment(DEMO_BLENDER).parent.parent / (
        "Lib/site-packages" if WINDOWS else "lib/python3.11/site-packages"
    )
    return next(site_packages.glob("bpy/*/scripts")) / "addons_core/bl_pkg/cli/blender_ext.py"


def write_repository(folder: Path, archive: Path, tool: Path) -> Path:
    """A folder that any web server can offer as a repository of extensions. Returns its index.json."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copyfile(archive, folder / archive.name)
    if run(sys.executable, tool, "server-generate", "--repo-dir", folder):
        raise Failed(f"Blender's tool cannot list {archive.name}: its reasons stand above.")
    return folder / "index.json"


def write_zip(folder: Path, engine: Path | None = None) -> Path:
    """The add-on as one zip: an extension for Blender 4.2 and later, an add-on for those before.

    Both accept a single folder at the top. The same checkout gives the same bytes.

    Args:
        engine: the engine's zip. The add-on learns its name and hash, and takes no other of that name.
    """
    files = {name: source.read_bytes() for name, source in packaged_files().items()}
    files["guide.md"] = without_pictures(files["guide.md"].decode("utf-8")).encode("utf-8")
    if engine is not None:
        sha256 = hashlib.sha256(engine.read_bytes()).hexdigest()
        known = {"file": engine.name, "sha256": sha256, "version": version()}
        files["engine.json"] = json.dumps(known).encode()
    return _write(folder / f"patina-{version()}.zip", "patina", files)


def write_engine_zip(folder: Path) -> Path:
    """What runs outside Blender as one zip: engine/ with the starter models, presets/ and the locks.

    The add-on's installer takes it from beside the add-on, from the user's downloads, or as it is told.
    """
    paths = [
        path for part in ("engine", "presets", "requirements") for path in sorted((ROOT / part).rglob("*"))
    ]
    names = {path.relative_to(ROOT): path for path in paths if path.is_file()}
    files = {
        name.as_posix(): path.read_bytes()
        for name, path in names.items()
        if "__pycache__" not in name.parts and not any(part.startswith(".") for part in name.parts)
    }
    files["LICENSE"] = (ROOT / "LICENSE").read_bytes()
    return _write(folder / f"patina-engine-{version()}.zip", "patina-engine", files)


def _write(archive: Path, top: str, files: dict[str, bytes]) -> Path:
    archive.parent.mkdir(parents=True, exist_ok=True)
    unfinished = archive.with_suffix(".part")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(f"{top}/{name}", date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, 0o100644 << 16  # on Windows too
            entry.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(entry, content)
    return unfinished.replace(archive)


def without_pictures(text: str) -> str:
    """A Markdown text less the lines that hold pictures alone, and the sentence about these."""
    text = re.sub(r"^(?:[ \t]*!\[[^\]]*\]\([^)]*\))+[ \t]*\n\n?", "", text, flags=re.MULTILINE)
    return re.sub(r" *Pictures are [^\n]*\.$", "", text, flags=re.MULTILINE)


def packaged_files() -> dict[str, Path]:
    """Path inside the add-on → file: what Blender runs, the presets with their pictures, what is read."""
    left_out = {"demo", "docs", "tests", "__pycache__"}
    addon = {path.relative_to(ROOT / "addon"): path for path in (ROOT / "addon").rglob("*") if path.is_file()}
    files = {
        name.as_posix(): path
        for name, path in addon.items()
        if not left_out.intersection(name.parts) and not any(part.startswith(".") for part in name.parts)
    }
    folder = ROOT / "presets"
    shown = (*folder.glob("*.json"), *folder.glob("thumbnails/*.jpg"))
    presets = {f"presets/{path.relative_to(folder).as_posix()}": path for path in shown}
    beside = {
        "LICENSE": ROOT / "LICENSE",
        "guide.md": ROOT / "addon/docs/guide.md",  # without its pictures
        "sizes.json": ROOT / "requirements/sizes.json",  # what installing takes, before the engine is there
    }
    return files | presets | beside


def version() -> str:
    """The version that engine, manifest and bl_info agree on. Raises Failed where they do not."""
    import tomllib  # not at the top: an older Python must get as far as main()'s sentence

    manifest = tomllib.loads((ROOT / "addon/blender_manifest.toml").read_text("utf-8"))["version"]
    legacy = ".".join(map(str, constant(ROOT / "addon/__init__.py", "bl_info")["version"]))
    engine = constant(ROOT / "engine/__init__.py", "__version__")
    if not manifest == legacy == engine:
        raise Failed(
            "Three places must name one version: "
            f"blender_manifest.toml says {manifest}, bl_info {legacy}, engine/__init__.py {engine}."
        )
    return str(engine)


def constant(path: Path, name: str) -> Any:
    """The value of a module's constant, read without running the module."""
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and any(
            isinstance(t, ast.Name) and t.id == name for t in node.targets
        ):
            return ast.literal_eval(node.value)
    raise Failed(f"{path.relative_to(ROOT)} has no {name}.")


def demo(prompt: str, preset: str, out: Path) -> int:
    """From a prompt to a lit, seamless material: a real Blender, a real engine, nothing staged."""
    engine, blender = environment("engine"), environment(DEMO_BLENDER)
    wanted = ("--prompt", prompt, "--preset", preset, "--out", out)
    code = run(blender, ROOT / "addon/demo", *wanted, PATINA_ENGINE_PYTHON=str(engine))
    if code not in {0, 1, 130}:  # at 1 it has said why, at 130 somebody stopped it
        raise Failed(f"Blender ended before the demo did (code {code}). {out / 'blender.log'} may say why.")
    return code


def bench(arguments: Sequence[str]) -> int:
    """Time our loop beside the published one: everything after `bench` goes to `python -m engine bench`."""
    return run(environment("engine"), "-m", "engine", "bench", *arguments)


def train(arguments: Sequence[str]) -> int:
    """Train the starter models: everything after `train` goes to `python -m engine train`."""
    return run(environment("train"), "-m", "engine", "train", *arguments)


def parser() -> argparse.ArgumentParser:
    door = argparse.ArgumentParser(prog="build.py", description="Patina's one door for people.")
    commands = door.add_subparsers(dest="command", required=True, metavar="COMMAND")
    one = commands.add_parser("demo", help="make a material from a prompt, in a real Blender, and render it")
    one.add_argument("prompt", nargs="?", help=f"the surface in your own words (default: {DEMO_PROMPT!r})")
    one.add_argument("--preset", help="a file in presets/ (default: plain, or stone for the default prompt)")
    one.add_argument("--out", type=Path, default=ROOT / "demo-out", help="folder (default: demo-out/)")
    commands.add_parser("test", help="run every check and test; further arguments go to pytest")
    commands.add_parser("package", help="write the add-on zip and validate it")
    timed = "time our loop beside the published one; further arguments go to the engine"
    commands.add_parser("bench", add_help=False, help=timed)
    learn = "train the starter models; further arguments go to the engine"
    commands.add_parser("train", add_help=False, help=learn)
    return door


def main(arguments: Sequence[str]) -> int:
    if sys.version_info < (3, 11):  # noqa: UP036  # a person may well start it with an older one
        raise Failed("Patina needs Python 3.11 or newer to start.")
    door = parser()
    chosen, further = door.parse_known_args(arguments)
    handing_on = {"test": test, "bench": bench, "train": train}
    if chosen.command in handing_on:
        return handing_on[chosen.command](further)
    if further:
        door.error(f"{chosen.command} does not know {' '.join(further)}")
    if chosen.command == "package":
        return package()
    preset = chosen.preset or ("plain" if chosen.prompt else "stone")
    return demo(chosen.prompt or DEMO_PROMPT, preset, chosen.out.resolve())


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Failed as failure:
        sys.exit(f"\n{failure}")
    except KeyboardInterrupt:
        sys.exit("\nStopped.")
