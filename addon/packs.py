"""The model packs as the preferences show them, and the one transfer that may be under way."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import bpy
from bpy.props import BoolProperty, CollectionProperty, FloatProperty, PointerProperty, StringProperty
from bpy.types import PropertyGroup

from .link import Cancelled, Event, Failed, Finished, Progress
from .session import Session
from .words import mark, tr

PHASES = {"download": mark("Downloading"), "convert": mark("Converting")}


class PatinaPack(PropertyGroup):
    """A pack, for the list."""

    key: StringProperty()
    label: StringProperty()
    about: StringProperty()
    licence: StringProperty()
    size: StringProperty()
    installed: BoolProperty()
    ships: BoolProperty()
    verified: BoolProperty()


class PatinaPacks(PropertyGroup):
    """What panels draw of the packs. Written by `mirror` alone."""

    items: CollectionProperty(type=PatinaPack)
    busy: BoolProperty()
    pack: StringProperty()
    progress: FloatProperty(name="Progress", subtype="FACTOR", min=0, max=1)
    text: StringProperty()
    message: StringProperty()


@dataclass
class Transfer:
    """What was asked of the engine about packs, and what came of it."""

    job: int | None = None
    pack: str = ""
    progress: float = 0.0
    text: str = ""
    message: str = ""
    shown: list[dict[str, Any]] = field(default_factory=list)


transfer = Transfer()


def ask(session: Session, method: str, params: dict[str, Any], text: str, said: str = "") -> None:
    """Send a request about packs.

    Args:
        text: what is shown while it is under way.
        said: what is shown when it has gone well.

    Raises:
        EngineError: the engine cannot be started.
    """
    transfer.message = ""
    transfer.job = session.ask(method, params, _taker(session, said))
    transfer.pack, transfer.progress, transfer.text = params.get("pack", ""), 0.0, text


def _taker(session: Session, said: str) -> Callable[[Event], None]:
    def take(event: Event) -> None:
        if isinstance(event, Progress):
            transfer.progress = event.step / event.total if event.total else 0.0
            transfer.text = sentence(event)
            return
        transfer.job, transfer.pack, transfer.text = None, "", ""
        if isinstance(event, Failed):
            transfer.message = event.error.message
        elif isinstance(event, Cancelled):
            transfer.message = "Stopped. What was downloaded is kept for the next time."
        elif isinstance(event, Finished):
            transfer.message = tr(said, freed=size(event.result.get("freed", 0)))
            _take_result(session, event.result)

    return take


def _take_result(session: Session, result: dict[str, Any]) -> None:
    known = session.engine.facts.packs
    if isinstance(result.get("packs"), list):
        session.engine.facts.packs = [pack for pack in result["packs"] if isinstance(pack, dict)]
    elif isinstance(result.get("pack"), dict):
        changed = result["pack"]
        session.engine.facts.packs = [changed if p.get("id") == changed.get("id") else p for p in known]
    elif isinstance(result.get("pack"), str):  # removed
        gone = result["pack"]
        session.engine.facts.packs = [{**p, "installed": False} if p.get("id") == gone else p for p in known]


def sentence(progress: Progress) -> str:
    """What the bar says: megabytes while something comes."""
    words = tr(PHASES.get(progress.phase, progress.phase.capitalize()))
    if progress.phase != "download":
        return words
    done, total = progress.step / 1e6, progress.total / 1e6
    if not progress.total:
        return tr("{words}: {done:.0f} MB", words=words, done=done)
    return tr("{words}: {done:.0f} of {total:.0f} MB", words=words, done=done, total=total)


def size(number: object) -> str:
    """Bytes for people."""
    value = float(number) if isinstance(number, (int, float)) else 0.0
    return f"{value / 1e9:.1f} GB" if value >= 1e9 else f"{value / 1e6:.0f} MB"


def mirror(known: list[dict[str, Any]]) -> None:
    """Copy what the engine said of its packs, and the transfer, to where panels look."""
    state = bpy.context.window_manager.patina_packs
    state.busy, state.pack = transfer.job is not None, transfer.pack
    state.progress, state.text, state.message = transfer.progress, transfer.text, transfer.message
    if known != transfer.shown or len(state.items) != len(known):
        transfer.shown = list(known)
        state.items.clear()
        for pack in known:
            item = state.items.add()
            item.key, item.label = str(pack.get("id", "")), str(pack.get("label") or pack.get("id", ""))
            item.about, item.licence = str(pack.get("description", "")), str(pack.get("licence", ""))
            item.size = size(pack.get("bytes"))
            for name in ("installed", "ships", "verified"):
                setattr(item, name, bool(pack.get(name)))


CLASSES = (PatinaPack, PatinaPacks)


def register() -> None:
    global transfer
    transfer = Transfer()
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.WindowManager.patina_packs = PointerProperty(type=PatinaPacks)


def unregister() -> None:
    del bpy.types.WindowManager.patina_packs
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
