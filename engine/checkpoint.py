"""A run that can be gone on with: what its loop remembers, in one file in the run's folder.

Beside the tensors the file holds what sidecars hold of a run. Only where all of that is the same, and so the
machine's and torch's arithmetic, does going on end with the bytes of a run that was never stopped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import places
from engine.errors import InvalidRequest

if TYPE_CHECKING:  # a request is checked before torch is there
    from engine.synthesis.course import Saved

NAME = "checkpoint.safetensors"
FORMAT = 1
MAX_HEADER_BYTES = 1 << 24
AGAIN = "Make the result anew instead, with generate."


def write(folder: Path, about: Mapping[str, Any], parts: Sequence[Saved]) -> None:
    """Put a checkpoint into a run's folder, in place of an earlier one, whole or not at all.

    Args:
        folder: of the run.
        about: what decides the result, as in sidecars.
        parts: groups of variations, each where it is.

    Raises:
        CannotWrite: the folder does not take it.
    """
    from safetensors.torch import save

    from engine.material import files

    tensors = {f"{p.first}/{name}": x.contiguous() for p in parts for name, x in p.tensors.items()}
    places = [[p.first, p.size, p.step, list(p.seeds)] for p in parts]
    told = {"format": FORMAT, "parts": places, "about": about}
    files.write_bytes(folder / NAME, save(tensors, {"patina": json.dumps(told)}))


def about(folder: Path) -> dict[str, Any]:
    """What `write` was told of the run, read without torch.

    Raises:
        InvalidRequest: there is no checkpoint, or it is damaged or of another version.
    """
    found: dict[str, Any] = _told(folder)["about"]
    return found


def read(folder: Path) -> tuple[dict[str, Any], list[Saved]]:
    """All that `write` was given.

    Raises:
        InvalidRequest: as `about`.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    from engine.synthesis.course import Saved

    told = _told(folder)
    try:
        tensors = load((folder / NAME).read_bytes())
        parts = [
            Saved(first, size, step, tuple(seeds), _below(f"{first}/", tensors))
            for first, size, step, seeds in told["parts"]
        ]
        if any(not part.seeds or len(part.seeds) % part.size for part in parts):
            raise ValueError("candidates of half a variation")  # noqa: TRY301
    except (OSError, SafetensorError, ArithmeticError, ValueError, KeyError, TypeError) as error:
        raise _unreadable(folder / NAME, error) from error
    return told["about"], parts


def _told(folder: Path) -> dict[str, Any]:
    """The metadata: a safetensors file begins with the length of its JSON header in 8 bytes."""
    path = folder / NAME
    if not places.is_file(path):
        raise InvalidRequest(
            f"There is nothing to go on with in {folder}: a run leaves {NAME} there where it was stopped.",
            field="folder",
        )
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if length > MAX_HEADER_BYTES:
                raise ValueError("too long a header")  # noqa: TRY301
            told: dict[str, Any] = json.loads(json.loads(file.read(length))["__metadata__"]["patina"])
        if told["format"] != FORMAT or not isinstance(told["about"]["settings"], dict):
            raise ValueError(f"format {told['format']}")  # noqa: TRY301
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unreadable(path, error) from error
    return told


def _unreadable(path: Path, error: Exception) -> InvalidRequest:
    return InvalidRequest(f"{path} cannot be read. {AGAIN}", field="folder", details=repr(error))


def check(then: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Refuse to go on with a run where something that decides its result is not as it was.

    Args:
        then: `about` of the checkpoint.
        now: that of the run that should go on.

    Raises:
        InvalidRequest: names what differs.
    """
    now = json.loads(json.dumps(now))  # tuples are lists there
    for what, sentence in {
        "settings": "was begun with another {key!r}",
        "inputs": "was begun with another file for {key!r}",
        "pack": "was begun with another {key} of the pack",
        "versions": "was begun with {key} {old}, and here is {new}",
    }.items():
        for key, old, new in _different(then.get(what, {}), now.get(what, {})):
            reason = sentence.format(key=key, old=old, new=new)
            raise InvalidRequest(f"This run cannot go on: it {reason}. {AGAIN}", field=_field(what, key))
    for what in ("guides", "device", "format"):
        if then.get(what) != now.get(what):
            raise InvalidRequest(
                f"This run cannot go on: its {what} was {then.get(what)} and is {now.get(what)}. {AGAIN}",
                field=what,
            )


def remove(folder: Path) -> None:
    """Take the checkpoint away, if there is one: the run has reached its end, or another begins.

    Raises:
        CannotWrite: it cannot be removed.
    """
    from engine.material import files

    files.remove(folder / NAME)


def _below(prefix: str, tensors: Mapping[str, Any]) -> dict[str, Any]:
    return {name.removeprefix(prefix): x for name, x in tensors.items() if name.startswith(prefix)}


def _different(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """What differs, by key; what lies in `sha256` counts as if it lay beside it."""
    then, now = ({**x, **x.get("sha256", {})} for x in (then, now))
    keys = [key for key in {**then, **now} if key != "sha256"]
    return [(key, then.get(key), now.get(key)) for key in keys if then.get(key) != now.get(key)]


def _field(what: str, key: str) -> str:
    return key.split(maxsplit=1)[0] if what in {"settings", "inputs"} else what
