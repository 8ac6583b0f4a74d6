"""What the sidebar knows of the artist's textures: folders, what was found, what goes on. No bpy."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from .link import Cancelled, EngineError, Event, Failed, Finished, Progress, disk
from .session import by_facet
from .words import mark, tr

PAGE = 12  # textures on a page
LIMIT = 240  # that a search brings
RELIEF = 0.02  # of a texture that says nothing of its depth, as the engine has it
ESSENTIAL = ("normal", "roughness", "metallic", "height")
SURE = 0.5  # of a tag that goes with a material into the asset browser

Take = Callable[[Event], None]
Ask = Callable[[str, "dict[str, Any]", Take], int]


DONE = {
    "added": mark("{count} added"),
    "moved": mark("{count} moved"),
    "copied": mark("{count} copied"),
    "removed": mark("{count} removed"),
    "forgotten": mark("{count} forgotten"),
}


@dataclass(frozen=True)
class Found:
    """A texture in the library: its files by role, and what is known of it."""

    name: str
    files: dict[str, Path]
    thumbnail: str = ""
    directx: bool = False
    width: int = 0
    height: int = 0
    tags: tuple[tuple[str, float], ...] = ()  # label and confidence, in the order of `session.FACETS`
    badges: dict[str, Any] = field(default_factory=dict)
    score: float | None = None

    @classmethod
    def of(cls, answer: dict[str, Any]) -> Found:
        """From the engine's answer.

        Raises:
            KeyError, TypeError, ValueError: it lacks something.
        """
        score = answer.get("score")
        return cls(
            name=str(answer["name"]),
            files={str(role): Path(path) for role, path in answer["files"].items()},
            thumbnail=str(answer.get("thumbnail", "")),
            directx=bool(answer.get("directx")),
            width=int(answer.get("width", 0)),
            height=int(answer.get("height", 0)),
            tags=tuple((str(tag["label"]), float(tag["confidence"])) for tag in by_facet(answer["tags"])),
            badges=dict(answer["badges"]),
            score=None if score is None else float(score),
        )

    @property
    def main(self) -> Path:
        """The file that stands for the texture."""
        return self.files["basecolor"]

    @property
    def key(self) -> str:
        """Names it: no two textures have the same main file."""
        return str(self.main)

    @property
    def lacking(self) -> tuple[str, ...]:
        """Maps of a full set that it has in no form."""
        stand_ins = {"normal": ("bump",), "roughness": ("gloss", "arm"), "metallic": ("arm",), "height": ()}
        return tuple(role for role in ESSENTIAL if not {role, *stand_ins[role]} & set(self.files))

    def is_named_for_blender(self) -> bool:
        """Whether Blender can hold the names of its files: of old disks, some are in other encodings."""
        names = (self.name, self.thumbnail, *map(str, self.files.values()))
        return all(disk.shown(name) == name for name in names)

    def sidecar(self) -> Path | None:
        """The JSON file that Patina wrote beside its own results, if this is one and it is there."""
        path = self.main.with_name(f"{self.name}.json")
        return path if disk.has_file(path) else None

    def relief(self) -> float:
        """Depth as a fraction of the tile's width, as the sidecar has it."""
        path = self.sidecar()
        try:
            relief = float(json.loads(path.read_text("utf-8"))["relief"]) if path else RELIEF
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return RELIEF  # somebody else's file
        return relief if 0 <= relief <= 1 else RELIEF

    def labels(self, most: int) -> list[str]:
        """Its surest tags, in their order."""
        surest = sorted(self.tags, key=lambda tag: -tag[1])[:most]
        return [tag[0] for tag in self.tags if tag in surest]


class Library:
    """The library as one engine knows it.

    Args:
        ask: sends a request, as `Session.ask` does.
        cancel: stops a job by its id.
    """

    def __init__(self, ask: Ask, cancel: Callable[[int], None]) -> None:
        self._ask, self._cancel = ask, cancel
        self.known = False
        self.folders: list[str] = []
        self.textures = 0
        self.labels: dict[str, int] = {}
        self.title = ""
        self.results: list[Found] = []
        self.copies: dict[str, int] = {}  # of near-duplicates: key → number of its group
        self.like = ""
        self.page = 0
        self.selected = ""
        self.made: dict[str, dict[str, Path]] = {}  # key → maps that the estimator made
        self.indexing: int | None = None
        self.mapping: int | None = None
        self.progress, self.status = 0.0, ""
        self.searching = False
        self.message, self.notes = "", []
        self._asked = 0
        self._again = False

    @property
    def busy(self) -> bool:
        """Whether the engine is doing something for it."""
        return self.searching or self.indexing is not None or self.mapping is not None

    @property
    def pages(self) -> int:
        """How many there are."""
        return max(1, -(-len(self.results) // PAGE))

    def shown(self) -> list[Found]:
        """What is on the page."""
        return self.results[self.page * PAGE : (self.page + 1) * PAGE]

    def chosen(self) -> Found | None:
        """The texture that actions are about."""
        return next((found for found in self.results if found.key == self.selected), None)

    def turn(self, step: int) -> None:
        """To another page."""
        self.page = min(max(0, self.page + step), self.pages - 1)

    # --- Questions; each raises EngineError where there is no engine to ask -----------------------

    def open(self, device: str, notes: tuple[str, ...] = ()) -> None:
        """What is there, the newest first; the notes are shown with it."""
        self._look_up("library", {"limit": LIMIT}, device, mark("Newest first"), notes)

    def search(self, text: str, tag: str, seamless: bool, device: str) -> None:
        """By words, a tag and seams; without any of them, everything."""
        self.like = ""
        if not (text.strip() or tag or seamless):
            self.open(device)
            return
        self._look_up(
            "search", _filters(text, tag, seamless), device, mark("Best first") if text.strip() else ""
        )

    def more_like(self, found: Found, text: str, tag: str, seamless: bool, device: str) -> None:
        """What resembles a texture, by words as well where there are any."""
        self.like = found.key
        asked = {**_filters(text, tag, seamless), "like": found.key}
        self._look_up("search", asked, device, tr("Like {name}", name=found.name))

    def list_duplicates(self, device: str) -> None:
        """What is there twice."""
        self.like = ""
        self._look_up("search", {"duplicates": True, "limit": LIMIT}, device, mark("There twice or more"))

    def index(self, folders: list[str], forget: list[str], device: str) -> None:
        """Bring the index up to date, with further folders or fewer."""
        params = {"folders": folders, "forget": forget, "device": device}
        self.message, self.notes = "", []
        self.indexing = self._ask("index", params, self._take_index)
        self.progress, self.status = 0.0, "Waiting"

    def make_maps(self, found: Found, folder: Path, history: Path, device: str) -> None:
        """Have the estimator make all maps of a texture."""
        asked = {"picture": found.key, "folder": str(folder), "history": str(history), "device": device}
        if not found.badges.get("seamless", True):
            asked["tile"] = "none"
        self.message = ""
        self.mapping = self._ask("maps", asked, partial(self._take_maps, found.key))
        self.progress, self.status = 0.0, "Making maps"

    def cancel(self) -> None:
        """Stop what takes long."""
        for job in (self.indexing, self.mapping):
            if job is not None:
                self._cancel(job)
        self.status = "Cancelling"

    # --- Answers ----------------------------------------------------------------------------------

    def _look_up(
        self, method: str, params: dict[str, Any], device: str, title: str, notes: tuple[str, ...] = ()
    ) -> None:
        self._asked += 1  # the answer to an earlier question is of no interest any more
        take = partial(self._take_found, self._asked, title, notes)
        self._ask(method, {**params, "device": device}, take)
        self.searching, self.message = True, ""

    def _take_found(self, number: int, title: str, notes: tuple[str, ...], event: Event) -> None:
        if isinstance(event, Progress) or number != self._asked:
            return
        self.searching = False
        answer = self._result_of(event)
        if answer is None:
            return
        groups = answer.get("duplicates")
        entries = (
            answer.get("results", []) if groups is None else [item for group in groups for item in group]
        )
        try:
            everything = [Found.of(entry) for entry in entries]
            self.textures = int(answer["textures"])
            self.folders = [str(folder) for folder in answer.get("folders", self.folders)]
            self.labels = dict(answer.get("labels", self.labels))
        except (KeyError, TypeError, ValueError, AttributeError):
            self.message = "The engine's answer lacks something. Restart it."
            return
        numbers = [] if groups is None else [n for n, group in enumerate(groups, 1) for _ in group]
        self.copies = dict(zip([found.key for found in everything], numbers, strict=bool(numbers)))
        results = [found for found in everything if found.is_named_for_blender()]
        self.known, self.title, self.results, self.page = True, title, results, 0
        if self.chosen() is None:
            self.selected = ""
        unknown = answer.get("unknown_words", [])
        strange = (
            [tr("These words mean nothing to the model: {words}", words=", ".join(unknown))]
            if unknown
            else []
        )
        misnamed = len(everything) - len(results)
        unusable = [tr("{count} left out: Blender cannot read their files' names", count=misnamed)]
        self.notes = [*notes, *strange, *(unusable if misnamed else [])]

    def _take_index(self, event: Event) -> None:
        if isinstance(event, Progress):
            self._take_progress(mark("Looking at {step} of {total}"), event)
            return
        self.indexing, self.status = None, ""
        answer = self._result_of(event)
        if answer is None:
            return
        self.known = True
        self.folders = [str(folder) for folder in answer.get("folders", [])]
        self.textures = int(answer.get("textures", 0))
        self.labels = dict(answer.get("labels", {}))
        self.notes = list(_report(answer))
        self._again = True

    def _take_maps(self, key: str, event: Event) -> None:
        if isinstance(event, Progress):
            self._take_progress(mark("Making maps {step} of {total}"), event)
            return
        self.mapping, self.status = None, ""
        answer = self._result_of(event)
        if answer is not None:
            folder = Path(answer["folder"])
            self.made[key] = {str(role): folder / name for role, name in answer["files"].items()}

    def _take_progress(self, words: str, event: Progress) -> None:
        if self.status != "Cancelling":
            self.progress = event.step / event.total if event.total else 0.0
            self.status = tr(words, step=event.step, total=event.total)

    def _result_of(self, event: Event) -> dict[str, Any] | None:
        if isinstance(event, Failed):
            self.message = event.error.message
        elif isinstance(event, Cancelled):
            self.message = "Cancelled. What was done so far is kept."
        return event.result if isinstance(event, Finished) else None

    def follow(self, device: str) -> None:
        """Once an index is up to date, show what is in it."""
        if self._again and not self.busy:
            self._again = False
            try:
                self.open(device, tuple(self.notes))
            except EngineError as error:
                self.message = error.message


def _filters(text: str, tag: str, seamless: bool) -> dict[str, Any]:
    return {"text": text.strip(), "tags": [tag] if tag else [], "seamless": seamless, "limit": LIMIT}


def _report(answer: dict[str, Any]) -> list[str]:
    """What an index did, a sentence each; of files that cannot be read the first few."""
    done = [tr(words, count=answer[name]) for name, words in DONE.items() if answer.get(name)]
    broken = [
        tr("Not read: {reason}", reason=disk.shown(item["reason"])) for item in answer.get("broken", [])
    ]
    unseen = [disk.shown(str(item["reason"])) for item in answer.get("unseen", [])]
    rest = [tr("{count} more files cannot be read", count=len(broken) - 3)] if len(broken) > 3 else []
    return [", ".join(done).capitalize() or tr("Nothing new"), *unseen, *broken[:3], *rest]
