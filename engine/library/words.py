"""Words of the user's own, which textures are tagged with besides Patina's."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from engine.errors import InvalidRequest
from engine.material.files import write_json

FILE = "words.json"
MOST = 200


def read(folder: Path) -> tuple[str, ...]:
    """The words of a library, none where nobody added any.

    Raises:
        InvalidRequest: the file is there and is no list of words.
    """
    path = folder / FILE
    try:
        found = json.loads(path.read_text("utf-8"))["words"]
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidRequest(
            f"{path} cannot be read. Delete it.", field="words", details=repr(error)
        ) from error
    return tidy(found if isinstance(found, list) else [])


def write(folder: Path, words: Sequence[str]) -> tuple[str, ...]:
    """Replaces the words of a library.

    Raises:
        CannotWrite: the folder does not take files.
    """
    kept = tidy(words)
    write_json(folder / FILE, {"words": list(kept)})
    return kept


def tidy(words: Sequence[object]) -> tuple[str, ...]:
    """Without spaces around them, each once, in their order, `MOST` at most."""
    texts = (" ".join(w.split()) for w in words if isinstance(w, str))
    return tuple(dict.fromkeys(t for t in texts if t))[:MOST]
