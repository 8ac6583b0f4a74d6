"""Making a result again from its sidecar, and saying what stands in the way of the very same files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine import presets, sources
from engine.errors import InvalidRequest
from engine.params import Delivery, resolve as resolve_generate
from engine.settings import RunSettings
from engine.story import is_story, resolve as resolve_story, stored as stored_story

BEFORE = {"coarse": False}
"""What results were made with that do not say so: newer than they are, and not left to the size."""


def resolve(params: Mapping[str, Any], folder: Path = presets.FOLDER) -> tuple[RunSettings, Delivery]:
    """The settings of the run that a result is of: all its variations come again, in the same order.

    Args:
        params: `sidecar`, the absolute path of a result's JSON file or of a story's; fields of Delivery.
        folder: where the preset files are.

    Raises:
        InvalidRequest: the result cannot be read, or a picture that it was made with is not what it was.
    """
    path = params.get("sidecar")
    if not isinstance(path, str) or not Path(path).is_absolute():
        raise InvalidRequest("'sidecar' must be the absolute path of a result's JSON file.", field="sidecar")
    if is_story(Path(path)):
        return resolve_story(params, folder)
    content = stored(Path(path))
    asked = {name: value for name, value in params.items() if name != "sidecar"}
    settings, delivery = resolve_generate({**BEFORE, **content["settings"], **asked}, folder)
    now, then = sources.hashes(settings).get("inputs", {}), content.get("inputs", {})
    if changed := [name for name in {**then, **now} if now.get(name) != then.get(name)]:
        raise InvalidRequest(
            f"{changed[0]!r} is another file than the result was made with. Put the old one back.",
            field=changed[0].split(maxsplit=1)[0],
        )
    return settings, delivery


def stored(path: Path) -> Mapping[str, Any]:
    """A result's sidecar, or what story.json says of a story.

    Raises:
        InvalidRequest: it is neither.
    """
    return stored_story(path) if is_story(path) else sources.sidecar(path, "sidecar")


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Why files made `now` may differ from those made `then`, a sentence each, from both sidecars."""
    found = []
    for role, sha256 in then["pack"]["sha256"].items():
        if now["pack"]["sha256"].get(role) != sha256:
            found.append(f"The {role} of the pack {now['pack']['id']!r} is another one now.")
    if then.get("guides") != now.get("guides"):
        found.append("One of the guides beside the pack's own is another one now.")
    if then.get("device") != now["device"]:
        found.append(f"It was made on {then.get('device')}, and now on {now['device']}.")
    if then.get("stopped_at") is not None and now.get("stopped_at") is None:
        found.append(f"It was stopped after step {then['stopped_at']}, and now it went to its end.")
    if then.get("complete") is False and now.get("complete"):
        found.append(f"It was stopped after frame {len(then['frames'])}, and now it went to its end.")
    for name, version in then.get("versions", {}).items():
        if now["versions"].get(name) != version:
            found.append(f"It was made with {name} {version}, and now with {now['versions'].get(name)}.")
    return found
