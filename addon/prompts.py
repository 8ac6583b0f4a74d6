"""The last prompts and what was to be avoided, to pick from again. They outlive Blender, in a small file."""

import json
import logging
from pathlib import Path

from . import compat

log = logging.getLogger(__name__)

KEPT = 20
FIELDS = ("prompt", "negative")

recent: dict[str, list[str]] = {name: [] for name in FIELDS}


def path() -> Path:
    """Where they are kept."""
    return compat.writable_folder() / "prompts.json"


def add(prompt: str, negative: str) -> None:
    """Put what was just used first."""
    for name, words in zip(FIELDS, (prompt.strip(), negative.strip()), strict=True):
        if words:
            recent[name] = [words, *(other for other in recent[name] if other != words)][:KEPT]
    try:
        path().parent.mkdir(parents=True, exist_ok=True)
        unfinished = path().with_suffix(".part")
        unfinished.write_text(json.dumps(recent, ensure_ascii=False, indent=1), encoding="utf-8")
        unfinished.replace(path())
    except OSError as error:
        log.warning("cannot keep the prompt: %r", error)


def register() -> None:
    try:
        content = json.loads(path().read_text(encoding="utf-8"))
        for name in FIELDS:
            recent[name] = [str(words) for words in content[name]][:KEPT]
    except FileNotFoundError:
        return
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("cannot read the last prompts: %r", error)


def unregister() -> None:
    for name in FIELDS:
        recent[name] = []
