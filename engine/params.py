"""The parameters of `generate`: checked, filled from the preset, refused in plain words."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from engine import pictures, places, presets, quality, sources
from engine.errors import InvalidRequest, Remedy, UnknownPreset
from engine.models import packs
from engine.settings import MAX_SEED, RunSettings
from engine.synthesis.prompts import wanted

DEMANDS = {  # pydantic's code of the fault → what the value must be
    "int_type": "a whole number",
    "float_type": "a number",
    "string_type": "text",
    "string_unicode": "valid Unicode text",
    "string_too_short": "text that is not empty",
    "string_too_long": "at most {max_length} characters long",
    "string_pattern_mismatch": "a name of small letters and digits",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "too_short": "a list of {min_length} or more",
    "too_long": "a list of at most {max_length}",
    "model_type": "an object with names and values",
}


def _absolute(folder: str) -> str:
    if not places.is_absolute(folder):
        raise ValueError("must be the absolute path of a folder")
    return folder


class Delivery(BaseModel):
    """The part of a request that says where it runs and where results go: no picture depends on it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    folder: Annotated[str, AfterValidator(_absolute)]
    preview: bool = True
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    history: Annotated[str, AfterValidator(_absolute)] | None = Field(
        None, description="Folder of all results; the library keeps it, and what comes of this request"
    )
    keep_on_cancel: bool = Field(True, description="Make results of what there is when it is cancelled")
    checkpoint_every: int = Field(50, ge=0, description="Guided steps between checkpoints; 0: none")
    resume: bool = Field(False, description="Go on from the checkpoint in the folder")


def resolve(params: Mapping[str, Any], folder: Path = presets.FOLDER) -> tuple[RunSettings, Delivery]:
    """The complete settings of a `generate` request: defaults < quality < preset < what the request names.

    A negative prompt of the preset counts where the request has none. A missing seed is drawn here, and
    pictures get their hashes, so that both are stored with the result. For `palette` a request may also
    have names of colours or a picture: see `pictures.colours`.

    Args:
        params: fields of RunSettings, of which only `prompt` must be there, and of Delivery.
        folder: where the preset files are.

    Raises:
        InvalidRequest: an unknown or ill-typed field, one out of range, a prompt or a picture that cannot be
            read, or a file that is not there; `field` names it.
        UnknownPreset: see `presets.load`; not where the request has `templates`, as a stored result's has.
    """
    asked = {name: value for name, value in params.items() if name not in Delivery.model_fields}
    where = {name: value for name, value in params.items() if name in Delivery.model_fields}
    if "palette" in asked:
        asked["palette"] = pictures.colours(asked["palette"])
    try:
        own = RunSettings.model_validate({"seed": secrets.randbelow(MAX_SEED + 1), **asked})
        delivery = Delivery.model_validate(where)
    except ValidationError as error:
        raise invalid(error) from error
    preset = _preset(own, folder, is_stored="templates" in asked)
    filled = {**preset.settings, "templates": preset.templates, **asked, "seed": own.seed}
    if not own.negative:
        filled["negative"] = preset.negative
    settings = RunSettings.model_validate(filled)
    given = {*preset.settings, *asked}
    gpu, guides = _has_gpu(settings.quality, delivery.device), packs.helpful(settings.pack)
    more = quality.filled(given, settings, gpu=gpu, guides=guides)
    settings = settings.model_copy(update=more)
    quality.check(settings)
    wanted(settings.prompt, settings.negative)  # raises now what synthesis would raise later
    sources.check(settings)
    return pictures.pinned(settings), delivery


def _preset(own: RunSettings, folder: Path, *, is_stored: bool) -> presets.Preset:
    """The preset of a request. A result's settings hold all that its preset gave: they outlive its file."""
    try:
        return presets.load(own.preset, folder)
    except UnknownPreset:
        if not is_stored:
            raise
        return presets.Preset(own.preset, own.preset, list(own.templates))


def _has_gpu(quality_id: str, device: str) -> bool:
    """Whether a run would be on one; torch, which takes seconds to load, is asked only where it matters."""
    if quality_id != "best" or device != "auto":
        return device not in {"auto", "cpu"}
    from engine import compute

    return compute.choose("auto").device.type != "cpu"


def invalid(error: ValidationError, *schemas: type[BaseModel]) -> InvalidRequest:
    """One sentence about the first fault: the field, what it may be, what was given, and a way out.

    Args:
        error: of a validation.
        schemas: whose fields were validated; those of `generate` unless given.
    """
    first = error.errors(include_url=False)[0]
    name = str(first["loc"][0])
    fields = [schema.model_fields for schema in schemas or (RunSettings, Delivery)]
    sentence, remedy = _explain(name, first, {k: v for part in fields for k, v in part.items()})
    return InvalidRequest(sentence, field=name, remedy=remedy, details=str(error))


def _explain(name: str, fault: ErrorDetails, known: Mapping[str, FieldInfo]) -> tuple[str, Remedy | None]:
    given = fault["input"]
    if fault["type"] == "extra_forbidden":
        near = get_close_matches(name, known, 1) if len(fault["loc"]) == 1 else []
        if near:
            return f"Unknown setting {_path(fault)}. Did you mean {near[0]!r}?", None
        return f"Unknown setting {_path(fault)}.", None
    if fault["type"] == "missing":
        return f"{_path(fault)} is missing.", None
    if name == "prompt" and isinstance(given, str) and not given.strip():
        return "The prompt is empty. Describe a surface.", None
    if fault["type"] in DEMANDS:
        blank = fault.get("ctx", {}).get("pattern") == r"\S"
        demand = DEMANDS["string_too_short" if blank else fault["type"]].format(**fault.get("ctx", {}))
        return f"{_path(fault)} must be {demand}; {_show(given)} was given.", None
    if fault["type"] == "literal_error":
        allowed = get_args(known[name].annotation)
        is_element = len(fault["loc"]) > 1
        allowed = get_args(allowed[0]) if is_element else allowed
        near = get_close_matches(str(given), allowed, 1)
        options = ", ".join(repr(option) for option in allowed)
        return f"{_path(fault)} must be one of {options}; {_show(given)} was given.", (
            Remedy(name, near[0]) if near and not is_element else None
        )
    info = _field(fault, known)
    if isinstance(given, int | float) and info is not None:
        limits = Limits(info)
        value = limits.nearest(given) if len(fault["loc"]) == 1 else None
        remedy = None if value is None else Remedy(name, value)
        return f"{_path(fault)} must be {limits}; {_show(given)} was given.", remedy
    if "error" in fault.get("ctx", {}):  # a check of our own: its words are already a sentence
        return f"{_path(fault)} {fault['ctx']['error']}; {_show(given)} was given.", None
    return f"{_path(fault)}: {fault['msg'].lower()}; {_show(given)} was given.", None


def _field(fault: ErrorDetails, known: Mapping[str, FieldInfo]) -> FieldInfo | None:
    """The field at fault, also of an object in a list; None for what the schema does not know."""
    info = known.get(str(fault["loc"][0]))
    if info is None or len(fault["loc"]) < 3:
        return info if len(fault["loc"]) == 1 else None
    model = get_args(info.annotation)[0]
    return model.model_fields.get(fault["loc"][2]) if issubclass(model, BaseModel) else None


class Limits:
    """The numbers that a field takes, from its constraints; `str` gives them in words."""

    def __init__(self, info: FieldInfo) -> None:
        found: dict[str, Any] = {}
        for constraint in info.metadata:
            for name in ("ge", "gt", "le", "lt", "multiple_of"):
                if hasattr(constraint, name):
                    found[name] = getattr(constraint, name)
        self.low_open, self.high_open = "gt" in found, "lt" in found
        self.low: float = found["gt" if self.low_open else "ge"]
        self.high: float | None = found.get("lt" if self.high_open else "le")
        self.step = found.get("multiple_of")

    def __str__(self) -> str:
        if self.high is None:
            words = f"{self.low} or more"
        elif self.low_open or self.high_open:
            low = f"above {self.low}" if self.low_open else f"{self.low} or more"
            words = f"{low} and {'below' if self.high_open else 'at most'} {self.high}"
        else:
            words = f"between {self.low} and {self.high}"
        return words if self.step is None else f"{words}, in steps of {self.step}"

    def nearest(self, given: float) -> float | None:
        """The allowed number next to `given`, which is not allowed; None at an open end."""
        if given <= self.low:
            return None if self.low_open else self.low
        if self.high is not None and given >= self.high:
            return None if self.high_open else self.high
        return given if self.step is None else self.step * round(given / self.step)


def _path(fault: ErrorDetails) -> str:
    """The field, and for an element of a list also which one: 'templates' 2."""
    name, *rest = fault["loc"]
    return " ".join([repr(name), *(str(part + 1) if isinstance(part, int) else str(part) for part in rest)])


def _show(given: object) -> str:
    """The value as the client wrote it, cut to a line."""
    text = json.dumps(given, default=repr, ensure_ascii=False).encode(errors="backslashreplace").decode()
    return text if len(text) <= 80 else f"{text[:77]}..."
