"""Real Blenders with a window: this Debian's own (3.4) and the one of Debian sid (5.2), each under Xvfb."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.gui import make_sid

CHECKOUT = Path(__file__).resolve().parents[2]

# $1 root of the chroot, then folders that it shares with this machine up to "--", then the command. The
# mounts live in a namespace of their own and end with Blender. /host is this whole machine, for the engine.
CHROOT = """
root=$1; shift
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --rbind / "$root/host"
mount -t tmpfs none "$root/tmp"
while [ "$1" != -- ]; do mkdir -p "$root$1"; mount --bind "$1" "$root$1"; shift; done
shift
exec chroot "$root" "$@"
"""


class MissingError(Exception):
    """This machine lacks something that the window needs; the message says what."""


@dataclass(frozen=True)
class Blender:
    """A Blender to start in a folder of its own.

    Attributes:
        folder: Blender's home, log and temporary files; it sees this and the checkout.
        command: what goes before Blender's arguments.
        engine_python: the engine's interpreter, as this Blender can start it.
        reaches_all: whether it sees this machine's files where they are, the interpreter's among them.
    """

    folder: Path
    command: tuple[str, ...]
    engine_python: Path
    reaches_all: bool


def debian(folder: Path) -> Blender:
    """The Blender of this machine's Debian.

    Raises:
        MissingError: it is not installed.
    """
    need("blender", "scrot", "Xvfb")
    return Blender(folder, ("blender",), engine_python(), reaches_all=True)


def sid(folder: Path) -> Blender:
    """The Blender of a Debian sid folder, run by chroot; the folder is made where it is missing.

    The engine's interpreter is a script that leaves the chroot again: its libraries are this machine's.

    Raises:
        MissingError: the folder cannot be made, or not be entered.
    """
    need("Xvfb", "unshare", "chroot")
    if os.geteuid() != 0:
        raise MissingError("needs root, for chroot")
    try:
        root = make_sid.make()
    except make_sid.CannotMakeError as error:
        raise MissingError(f"cannot make {make_sid.location()}: {error}") from error
    script = folder / "engine-python"
    python = shlex.quote(str(engine_python()))
    inside = f"""cd "$0" && exec {python} "$@\""""
    script.write_text(
        f"""#!/bin/sh
test -x {python} && exec {python} "$@"  # outside already: started by something that was
exec chroot /host sh -c {shlex.quote(inside)} "$PWD" "$@"
"""
    )
    script.chmod(0o755)
    enter = ("unshare", "--mount", "--propagation", "private", "sh", "-ec", CHROOT, "sh", str(root))
    shared = (str(CHECKOUT), "/tmp/.X11-unix", str(folder))
    return Blender(folder, (*enter, *shared, "--", "blender"), script, reaches_all=False)


def engine_python() -> Path:
    """The engine's interpreter on this machine: the one that is named, else the one that runs this."""
    return Path(os.environ.get("PATINA_ENGINE_PYTHON", sys.executable))


def need(*tools: str) -> None:
    for tool in tools:
        if shutil.which(tool) is None:
            raise MissingError(f"needs {tool}: see tests/gui/packages.txt")


BLENDERS: dict[str, Callable[[Path], Blender]] = {"debian": debian, "sid": sid}


def run(
    blender: Blender,
    script: Path,
    arguments: list[str],
    *,
    size: tuple[int, int],
    timeout_s: float,
    **environment: str,
) -> tuple[int, str]:
    """Run a script in a Blender with factory settings, its window filling a display of its own.

    Args:
        arguments: the script's, as `sys.argv` behind "--".
        size: of the window, px. A redraw takes a software driver as long as the window is large.

    Returns:
        Blender's exit code, a negative signal where it was killed; and all that it said.
    """
    home = blender.folder / "home"
    home.mkdir()
    width, height = size
    command = [
        *blender.command,
        *("--factory-startup", "--enable-event-simulate", "--no-window-focus", "--python-exit-code", "7"),
        *("--window-geometry", "0", "0", str(width), str(height)),
        *("--python", str(script), "--", *arguments),
    ]
    settings = {
        "PATH": os.environ["PATH"] + ":/usr/sbin:/usr/bin:/sbin:/bin",  # the chroot's, whatever ours is
        "HOME": str(home),
        "TMPDIR": str(home),
        "LANG": "C.UTF-8",
        "LIBGL_ALWAYS_SOFTWARE": "1",
        "OMP_NUM_THREADS": "1",  # the window and the engine share what cores there are
        "PYTHONDONTWRITEBYTECODE": "1",
        **environment,
    }
    log = blender.folder / "blender.log"
    with display(width, height) as name, log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env=settings | {"DISPLAY": name},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
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
    return code, log.read_text(errors="replace")


@contextmanager
def display(width: int, height: int) -> Iterator[str]:
    """An X server without a screen, on a free display; gives the display's name."""
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
