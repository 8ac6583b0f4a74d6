"""Make a folder with Debian sid and its Blender, for the window test: `python3 tests/gui/make_sid.py`.

Debian sid carries Blender 5.2 LTS, while no package registry has a Blender with a window. The folder
(1.3 GB, one to four minutes) lies outside the checkout and is made once: PATINA_SID_ROOT, else
`patina/blender-sid` in the user's cache. It appears under its name only when it is complete. Standard library
only, so that any Python runs it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

PACKAGES = (
    "blender",
    "fonts-dejavu-core",
    "libegl-mesa0",
    "libegl1",  # without it a render in the background ends the whole process
    "libgl1",
    "libgl1-mesa-dri",
    "python3-cattr",  # without it Blender's extension add-on prints a traceback at start
    "python3-numpy",
    "python3-requests",
    "python3-zstandard",
    "scrot",
)

# $1 folder, $2 mirror, then packages. In a mount namespace of its own: whatever happens, no mount stays
# behind, and removing the folder removes nothing of the machine's.
SCRIPT = """
root=$1 mirror=$2; shift 2
debootstrap --variant=minbase sid "$root" "$mirror"
mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"
chroot "$root" apt-get install -y --no-install-recommends "$@"
chroot "$root" apt-get clean
rm -rf "$root"/var/lib/apt/lists/*
mkdir -p "$root/host"
"""


class CannotMakeError(Exception):
    """This machine cannot make the folder; the message says why."""


def location() -> Path:
    """Where the folder is, or will be."""
    if named := os.environ.get("PATINA_SID_ROOT"):
        return Path(named).absolute()
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "patina" / "blender-sid"


def mirror() -> str:
    """The address of the Debian archive that this machine's own apt uses."""
    fields = "$(ORIGIN)|$(LABEL)|$(REPO_URI)"
    command = ["apt-get", "indextargets", "--format", fields, "Created-By: Packages"]
    try:
        listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise CannotMakeError("needs a Debian system with apt") from error
    for line in listing.splitlines():
        origin, label, address = line.split("|")
        if (origin, label) == ("Debian", "Debian"):
            return address
    raise CannotMakeError("needs apt's lists of a Debian archive: run apt-get update")


def make() -> Path:
    """The folder, made now where it is missing; a second caller waits for the first.

    Raises:
        CannotMakeError: no root, no debootstrap, no Debian mirror, or one that does not answer.
    """
    root = location()
    if root.is_dir():
        return root
    if os.geteuid() != 0:
        raise CannotMakeError("needs root, for debootstrap and chroot")
    for tool in ("debootstrap", "unshare", "chroot"):
        if shutil.which(tool) is None:
            raise CannotMakeError(f"needs {tool}")
    address = mirror()
    root.parent.mkdir(parents=True, exist_ok=True)
    with root.with_name(root.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if root.is_dir():
            return root
        partial = root.with_name(root.name + ".partial")
        shutil.rmtree(partial, ignore_errors=True)
        command = ["unshare", "--mount", "--propagation", "private", "sh", "-ec", SCRIPT, "sh"]
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
        done = subprocess.run(
            [*command, partial, address, *PACKAGES],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,  # standard output holds the answer alone
            check=False,
        )
        if done.returncode != 0:
            shutil.rmtree(partial, ignore_errors=True)
            raise CannotMakeError(f"debootstrap or apt ended with {done.returncode}")
        partial.rename(root)
    return root


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{make()}\n")
    except CannotMakeError as error:
        sys.exit(f"Cannot make {location()}: {error}")
