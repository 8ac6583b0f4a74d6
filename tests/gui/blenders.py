"""Real Blenders with a window: this Debian's own (3.4) and the one of Debian sid (5.2), each under Xvfb."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import make_sid

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]

# $1 root of the chroot, then folders that it shares with this machine up to "--", then the command. The
# mounts live in a namespace of their own and end with Blender. /host is this whole machine, for the engine.
CHROOT = """
root=$1; shift
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --rbind / "$root/host"
while [ "$1" != -- ]; do mkdir -p "$root$1"; mount --bind "$1" "$root$1"; shift; done
shift
exec chroot "$root" "$@"
"""


class MissingError(Exception):
    """This machine lacks something that the window needs; the message says what."""


@dataclass(frozen=True)
class Outcome:
    """How a Blender ended: its exit code and all that it said."""

    code: int
    output: str


@contextmanager
def display(width: int, height: int) -> Iterator[str]:
    """An X server without a screen, on a free display; gives the display's name.

    Raises:
        MissingError: no Xvfb here.
    """
    if shutil.which("Xvfb") is None:
        raise MissingError("needs Xvfb")
    ours, theirs = os.pipe()
    command = ["Xvfb", "-displayfd", str(theirs), "-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[theirs], stderr=subprocess.DEVNULL)
    os.close(theirs)
    try:
        with os.fdopen(ours) as pipe:
            number = pipe.readline().strip()  # written once the server takes clients; empty when it died
        if not number:
            raise MissingError("Xvfb did not start")
        yield f":{number}"
    finally:
        server.terminate()
        server.wait()


def pack_addon(zip_file: Path) -> Path:
    """The add-on as a zip with one folder, which Blender takes as an extension and as a legacy add-on."""
    with zipfile.ZipFile(zip_file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted((CHECKOUT / "addon").rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                archive.write(path, Path("patina") / path.relative_to(CHECKOUT / "addon"))
    return zip_file


class DebianBlender:
    """The Blender of the machine's own Debian."""

    name = "debian"

    def __init__(self) -> None:
        for tool in ("blender", "scrot"):
            if shutil.which(tool) is None:
                raise MissingError(f"needs {tool}: see tests/gui/packages.txt")

    def engine_python(self, folder: Path) -> Path:
        """The engine's interpreter, as Blender can start it."""
        return Path(sys.executable)

    def command(self, folder: Path) -> list[str]:
        """What goes before Blender's own arguments."""
        return ["blender"]


class SidBlender:
    """The Blender of a Debian sid folder, run by chroot. The engine runs outside of it."""

    name = "sid"

    def __init__(self) -> None:
        try:
            self.root = make_sid.make()
        except make_sid.CannotMake as error:
            raise MissingError(f"cannot make {make_sid.location()}: {error}") from error
        if os.geteuid() != 0:
            raise MissingError("needs root, for chroot")

    def engine_python(self, folder: Path) -> Path:
        """A script that leaves the chroot, keeps its working folder and becomes the engine's interpreter."""
        script = folder / "engine-python"
        inside = f"""cd "$0" && exec {shlex.quote(sys.executable)} "$@\""""
        script.write_text(f'#!/bin/sh\nexec chroot /host sh -c {shlex.quote(inside)} "$PWD" "$@"\n')
        script.chmod(0o755)
        return script

    def command(self, folder: Path) -> list[str]:
        """What goes before Blender's own arguments."""
        shared = [str(path) for path in dict.fromkeys((CHECKOUT, Path("/tmp/.X11-unix"), folder))]
        return [
            *("unshare", "--mount", "--propagation", "private", "sh", "-ec", CHROOT, "sh"),
            *(str(self.root), *shared, "--", "blender"),
        ]


def run(
    blender: DebianBlender | SidBlender,
    script: Path,
    folder: Path,
    arguments: list[str],
    environment: Mapping[str, str],
    size: tuple[int, int] = (1024, 768),
    timeout_s: float = 180,
) -> Outcome:
    """Run a script in a Blender with factory settings and a window that fills a display of its own.

    Args:
        folder: an empty one for Blender's home and log, which it shares with this machine.
        arguments: the script's, as `sys.argv` behind "--".
    """
    home = folder / "home"
    home.mkdir()
    width, height = size
    command = [
        *blender.command(folder),
        *("--factory-startup", "--enable-event-simulate", "--no-window-focus", "--python-exit-code", "7"),
        *("--window-geometry", "0", "0", str(width), str(height)),
        *("--python", str(script), "--", *arguments),
    ]
    with display(width, height) as name:
        clean = {
            "PATH": os.environ["PATH"] + ":/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "TMPDIR": str(home),
            "DISPLAY": name,
            "LIBGL_ALWAYS_SOFTWARE": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        with (folder / "blender.log").open("wb") as log:
            process = subprocess.Popen(
                command,
                env=clean | dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            try:
                code = process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                code = -signal.SIGKILL
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
    return Outcome(code, (folder / "blender.log").read_text(errors="replace"))
