"""Stories: the request, and the job from its settings to frames, an animation and story.json."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from pydantic import Field, ValidationError

from engine import presets
from engine.errors import Cancelled, InvalidRequest, Kept
from engine.host import Host
from engine.params import Delivery, invalid, resolve as resolve_generate
from engine.progress import Stopwatch
from engine.settings import RunSettings
from engine.synthesis.scenes import scenes

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

    from engine.material.maps import DecodedMaps
    from engine.synthesis.story import Frame

STEPS = 3
"""Guided steps a frame, unless the request says how many."""

STORY, ANIMATION, FRAME = "story.json", "story.webp", "frame"
FORMAT = 1
WEBP = {"quality": 90, "method": 4}
NOT_HERE = (
    *("prompt", "variations", "image", "strength", "mask", "spots", "overlay", "alpha", "decal"),
    *("vary", "difference", "towards", "shares", "pictures"),
    *("candidates", "coarse", "judge_views", "overlay_every"),
)
"""Settings of a material that a story has no use for."""

FIXED: Mapping[str, Any] = {"prompt": "a story", "variations": 1, "candidates": 1, "coarse": False}
"""Those that a quality or a preset would fill, too."""

Map = Literal["normal", "roughness", "metallic", "height", "ao", "emission"]


class StorySettings(RunSettings):
    """Everything that a story depends on. `steps` are those of each frame."""

    story: str = Field(min_length=1, max_length=4000, description="As in engine/synthesis/scenes.py")
    frames: int = Field(24, ge=2, le=1000, description="Frames in all")
    fps: int = Field(12, ge=1, le=60, description="Frames a second of the animation")
    maps: tuple[Map, ...] = Field(
        (), max_length=6, strict=False, description="Of each frame, beside its colour"
    )


OWN = ("story", "frames", "fps", "maps")


def resolve(params: Mapping[str, Any], folder: Path = presets.FOLDER) -> tuple[StorySettings, Delivery]:
    """The complete settings of a `story` request: defaults < preset < what the request names.

    Args:
        params: `story`, "0: dry mud | 40: wet mud"; `frames`; `fps`; `maps`, names of those wanted beside
            base colour; fields of RunSettings, of which `steps` are a frame's, and of Delivery. Or
            `sidecar`, the absolute path of a story.json to tell again, and what shall be different.
        folder: where the preset files are.

    Raises:
        InvalidRequest: the story cannot be read, a setting does not belong to one, or see `params.resolve`.
        UnknownPreset: see `presets.load`.
    """
    asked = dict(params)
    if strange := [name for name in NOT_HERE if name in asked]:
        raise InvalidRequest(f"A story does not take {strange[0]!r}.", field=strange[0])
    if "sidecar" in asked:
        asked = {**_told_again(asked.pop("sidecar")), **asked}
    own = {name: asked.pop(name) for name in OWN if name in asked}
    given = {"story": own.get("story"), **{name: own[name] for name in OWN[1:] if name in own}}
    if "story" not in own:
        raise InvalidRequest("'story' is missing.", field="story")
    run, delivery = resolve_generate({"steps": STEPS, **asked, **FIXED}, folder)
    try:
        settings = StorySettings.model_validate({**run.model_dump(), **given})
    except ValidationError as error:
        raise invalid(error, StorySettings, Delivery) from error
    first = scenes(settings.story, settings.frames)[0].text
    return settings.model_copy(update={"prompt": first}), delivery


def is_story(path: Path) -> bool:
    """Whether a file is a story.json."""
    try:
        return bool(stored(path))
    except InvalidRequest:
        return False


def stored(path: Path) -> dict[str, Any]:
    """What a story.json says.

    Raises:
        InvalidRequest: it is none.
    """
    try:
        content: dict[str, Any] = json.loads(path.read_text("utf-8"))
        if not isinstance(content["settings"]["story"], str):
            raise TypeError("no story")  # noqa: TRY301
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InvalidRequest(
            f"'sidecar': {path} is not the story.json of a story.", field="sidecar", details=repr(error)
        ) from error
    return content


def _told_again(path: object) -> dict[str, Any]:
    """The settings in a story.json that a story has a use for."""
    if not isinstance(path, str) or not Path(path).is_absolute():
        raise InvalidRequest("'sidecar' must be the absolute path of a story.json.", field="sidecar")
    settings = stored(Path(path))["settings"]
    return {name: value for name, value in settings.items() if name not in NOT_HERE}


def run_story(settings: StorySettings, delivery: Delivery, host: Host) -> dict[str, Any]:
    """Tell a story and write its frames, each as soon as it is there, then story.webp and story.json.

    A story has no checkpoints, what it has is kept when it is cancelled, and no library wants its frames.

    Args:
        settings: complete, from `resolve`.
        delivery: where, and on what.
        host: for whom.

    Returns:
        What story.json says, and how long it took.

    Raises:
        Cancelled: `host.should_stop` said so; the frames so far are kept, with animation and story.json.
        CannotWrite: the folder does not take files.
        InvalidRequest: a guide cannot help, see `extra.joined`; a side is no whole code, see
            `quality.check_sides`.
        PatinaError: what `host.load` raises.
    """
    from engine import quality, results
    from engine.material import files
    from engine.models import extra
    from engine.previews import Previews
    from engine.synthesis.story import Frame, tell

    folder, watch = Path(delivery.folder), Stopwatch()

    def tick(phase: str, step: int, total: int, loss: float | None = None) -> None:
        host.on_progress(watch.tick(phase, step, total, loss))
        if host.should_stop():
            raise Cancelled("Cancelled.")

    files.check_folder(folder)
    tick("load", 0, 1)
    pack = host.load(settings.pack, delivery.device)
    quality.check_sides(settings, pack.step_px)
    if settings.guides:
        pack = extra.joined(pack, [guide.name for guide in settings.guides])
    book = Book(folder, settings, results.about(settings, pack))
    previews = Previews(folder, host.on_preview)
    story = scenes(settings.story, settings.frames)
    told = tell(settings, story, settings.frames, pack, with_maps=bool(settings.maps))
    try:
        tick("load", 1, 1)
        with contextlib.closing(told):
            for news in told:
                if isinstance(news, Frame):
                    book.add(news)
                    previews.offer(news.picture)
                else:
                    tick(news.name, news.step, news.total, news.loss)
    except Cancelled as error:
        book.bind()
        raise Cancelled("Cancelled. The frames so far are kept.", kept=Kept(str(folder), None)) from error
    except KeyboardInterrupt:
        book.bind()
        raise
    summary = book.bind()
    host.on_progress(watch.tick("write", 1, 1))
    return {**summary, "seconds": watch.seconds(), "steps_per_second": watch.steps_per_second()}


class Book:
    """The files of a story.

    Args:
        folder: where they go.
        settings: of the story.
        about: what made it, for story.json, which also says of each frame's maps what files they are, and
            what its height is as a share of the tile's width.
    """

    def __init__(self, folder: Path, settings: StorySettings, about: Mapping[str, Any]) -> None:
        self._folder, self._settings, self._about = folder, settings, about
        self._pictures: list[Image.Image] = []
        self._names: dict[str, list[str]] = {kind: [] for kind in (FRAME, *settings.maps)}
        self._reliefs: list[float] = []

    def add(self, frame: Frame) -> None:
        """Write a frame, and the maps that are wanted of it."""
        from engine.material import files

        number = len(self._pictures) + 1
        for kind, names in self._names.items():
            names.append(f"{kind}_{number:04}.png")
        self._pictures.append(files.picture_of(frame.picture[0]))
        files.write_picture(self._folder / self._names[FRAME][-1], self._pictures[-1])
        if frame.maps is None:
            return
        self._reliefs.append(float(frame.maps.relief))
        for kind in self._settings.maps:
            files.write_map(self._folder / self._names[kind][-1], kind, self._map(kind, frame.maps)[0])

    def _map(self, kind: str, maps: DecodedMaps) -> Tensor:
        """One of a frame's maps, (1, C, H, W), as it is written."""
        from engine.material import maps as formulas
        from engine.models.vqgan import tile_axes

        wrap = tile_axes(self._settings.tile)
        if kind == "normal":
            return formulas.normal_from_height(maps.height, maps.relief, wrap)
        if kind == "ao":
            return formulas.ao_from_height(maps.height, maps.relief, wrap)
        if kind == "emission":
            return formulas.linear_to_srgb(formulas.emitted(maps))
        plane: Tensor = getattr(maps, kind)
        return plane

    def _maps_before(self) -> list[str]:
        """Which maps a story has that was told to this folder before; other files of such names stay."""
        with contextlib.suppress(InvalidRequest):
            before = stored(self._folder / STORY).get("maps", {})
            return [kind for kind in get_args(Map) if kind in before]
        return []

    def bind(self) -> dict[str, Any]:
        """Write story.webp and story.json of the frames that are there, if there are any."""
        from engine.material import files

        said: dict[str, Any] = {**self._about, "story": self._settings.story, "seed": self._settings.seed}
        frames = self._names[FRAME]
        said |= {"frames": frames, "complete": len(frames) == self._settings.frames}
        if self._settings.maps:
            said["maps"] = {kind: names for kind, names in self._names.items() if kind != FRAME}
            said["reliefs"] = self._reliefs
        for kind in (FRAME, *self._maps_before()):
            for old in self._folder.glob(f"{kind}_[0-9][0-9][0-9][0-9].png"):
                if old.name not in self._names.get(kind, ()):  # of another story that was here before
                    files.remove(old)
        if not self._pictures:
            return said
        content = io.BytesIO()
        first, *rest = self._pictures
        pause = round(1000 / self._settings.fps)
        first.save(content, "WEBP", save_all=True, append_images=rest, duration=pause, loop=0, **WEBP)
        files.write_bytes(self._folder / ANIMATION, content.getvalue())
        said["animation"] = ANIMATION
        files.write_json(self._folder / STORY, said)
        return said
