"""What ends an installation early: a sentence for a person, or the wish of one."""

from __future__ import annotations


class Failure(Exception):
    """One sentence that says what to do.

    Args:
        sentence: may have {placeholders}; whoever shows it may know it in another language.
        kind: a stable name for programs: "network", "space", "hash", "source", "busy" and so on.
        details: for the log.
        values: of the placeholders.
    """

    def __init__(self, sentence: str, *, kind: str, details: str = "", **values: str | int) -> None:
        self.message = sentence.format(**values) if values else sentence
        super().__init__(self.message)
        self.kind, self.details, self.sentence, self.values = kind, details, sentence, values


class Stopped(Exception):
    """Somebody cancelled, or Blender is gone."""


SENTENCES = {
    "hash": (
        "A downloaded package is not the one that was asked for, so nothing of it was used. Try again; if it "
        "happens again, something between here and the registry changes files."
    ),
    "space": "The disk is full. Free some space or choose another folder, then go on.",
    "python": (
        "This Python cannot make environments. On Debian and Ubuntu, install python3-venv; elsewhere name "
        "another Python in the preferences."
    ),
    "packages": (
        "A package that the engine needs is not to be had there. A folder of wheels must hold all of them, "
        "for this system."
    ),
    "no python": (
        "No suitable Python is here and none could be downloaded. Install Python 3.11 to 3.13, then go on."
    ),
    "network": (
        "The package registry cannot be reached. Check the connection, and proxy or mirror settings, then go "
        "on; what has come is kept."
    ),
    "permission": (
        "Files in the engine's folder cannot be written. Choose another folder, or close what uses it."
    ),
}
SIGNS = {  # kind → what pip, venv and uv print then; the first that fits counts
    "hash": ("Hash mismatch", "DO NOT MATCH THE HASHES"),
    "space": ("No space left", "not enough space on the disk", "os error 112)", "Disk quota exceeded"),
    "python": ("ensurepip", "No module named pip", "No module named venv"),
    "packages": ("no version of", "not found in the provided package locations", "No solution found"),
    "no python": ("No interpreter found", "Python downloads are", "python-install"),
    "network": (
        *("error sending request", "dns error", "Connection refused", "timed out", "network was disabled"),
        *("Failed to fetch", "from versions: none", "Temporary failure", "Failed to establish"),
    ),
    "permission": ("Permission denied", "Access is denied", "os error 5)"),
}


def explain(title: str, output: str) -> Failure:
    """The failure behind a tool's output; where nothing is known, one that names the step."""
    details = "\n".join(output.strip().splitlines()[-30:])
    for kind, signs in SIGNS.items():
        if any(sign in output for sign in signs):
            return Failure(SENTENCES[kind], kind=kind, details=details)
    return Failure("{step}: this step failed. The log says more.", kind="step", details=details, step=title)
