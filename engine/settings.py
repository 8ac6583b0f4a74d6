"""One typed value for a run: everything that a result depends on, and nothing else decides one."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Tile = Literal["xy", "x", "y", "none"]
Quality = Literal["draft", "normal", "best"]
Start = Literal["auto", "exemplar", "prior", "codes", "noise", "gradient"]

MAX_SEED = 2**53 - 1  # the largest integer that every JSON reader keeps exact


class PicturePrompt(BaseModel):
    """A picture to come near to, or with a negative weight to keep away from."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    path: str = Field(min_length=1, max_length=4096, description="Absolute path of the file")
    weight: float = Field(1.0, ge=-10, le=10)
    aligned: bool = Field(True, description="Also where things are; else only what they look like")
    sha256: str = Field("", max_length=64, description="Of the file; another is refused. Filled if empty")


class NoisePrompt(BaseModel):
    """A random direction in the guide's space, always the same for a seed."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    seed: int = Field(ge=0, le=MAX_SEED)
    weight: float = Field(0.1, ge=-10, le=10)


class Spot(BaseModel):
    """A prompt for a part of the picture. What it draws to or, with a negative weight, repels stays there."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    prompt: str = Field(min_length=1, max_length=2000, pattern=r"\S")
    mask: str = Field(min_length=1, max_length=4096, description="Absolute path: white is the part")
    weight: float = Field(1.0, ge=-10, le=10)


class Difference(BaseModel):
    """What a variation shall lose and gain, as a difference of two texts: "from dry to wet"."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    before: str = Field(min_length=1, max_length=200, pattern=r"\S", description="What it is: dry")
    after: str = Field(min_length=1, max_length=200, pattern=r"\S", description="What it shall be: wet")
    weight: float = Field(1.0, ge=0, le=2, description="How far that way")


class ExtraGuide(BaseModel):
    """A CLIP that guides beside the pack's own."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str = Field(
        min_length=1, max_length=200, description="A pack, for its guide, or NAME:TAG of open_clip's"
    )
    weight: float = Field(1.0, gt=0, le=10, description="Beside 1 of the pack's guide")
    every: int = Field(1, ge=1, le=1000, description="Steps from one time that it is asked to the next")


class RunSettings(BaseModel):
    """Everything that a result depends on. Stored with the pack's hashes, it makes it again.

    Lengths are pixels of the result; `relief` is a fraction of the tile's width.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    # The language of both is that of engine/synthesis/prompts.py: "mossy cobblestones | wet:0.4".
    prompt: str = Field(min_length=1, max_length=2000, pattern=r"\S")
    negative: str = Field("", max_length=2000)
    preset: str = Field("plain", pattern=r"^[a-z0-9_]+$", description="File name in presets/")
    templates: tuple[str, ...] = Field(
        ("{}",), min_length=1, max_length=16, strict=False, description="{} is the prompt; averaged"
    )
    quality: Quality = Field("normal", description="What filled the settings that were left open")
    pack: str = Field("starter", pattern=r"^[a-z0-9_-]+$")
    variations: int = Field(4, ge=1, le=16)
    # A code of the finest packs is 8 pixels; what a pack wants beyond that, `quality.check_sides` asks it.
    width: int = Field(256, ge=128, le=2048, multiple_of=8)
    height: int = Field(256, ge=128, le=2048, multiple_of=8)
    tile: Tile = "xy"
    seed: int = Field(ge=0, le=MAX_SEED)  # no default: who leaves it open draws one, so it is stored

    steps: int = Field(12, ge=0, le=5000, description="Guided steps; 0 keeps the proposal")
    lr: float = Field(0.04, gt=0, le=1, description="Adam step on z, before its one drop")
    ema: float = Field(0.9, ge=0, lt=1, description="Share of the old average that a step keeps")
    cutouts: int = Field(8, ge=1, le=128, description="Views per variation and step")
    start: Start = Field("auto", description="Where it begins; auto: `image`, or the first that the pack has")
    proposals: int = Field(6, ge=1, le=16, description="Starts per variation; the best is kept")
    candidates: int = Field(
        1, ge=1, le=16, description="Tried per variation; the judge drops the weaker half again and again"
    )
    coarse: bool = Field(
        False, description="First at half the size; not where a picture or another file gives the layout"
    )
    redraw: float = Field(0.0, ge=0, le=1, description="Share of an exemplar that the prior draws anew")
    temperature: float = Field(1.0, ge=0, le=4, description="Of the prior's choices")
    negative_weight: float = Field(0.5, ge=0, le=4)
    coherence: float = Field(
        40.0, ge=0, le=1000, description="Pull of every change of z towards those around it, against grain"
    )
    keep: float = Field(12.0, ge=0, le=100, description="Pull of z towards its start")
    relief: float | None = Field(
        None, gt=0, le=0.5, description="Height range / tile width; None: what the network decodes"
    )
    guides: tuple[ExtraGuide, ...] = Field(
        (), max_length=4, strict=False, description="CLIPs that guide beside the pack's own"
    )
    lit_cuts: float = Field(
        0.0, ge=0, le=1, description="Share of the views that show it under light; 0 where a pack has no maps"
    )
    judge_views: int = Field(16, ge=1, le=128, description="Augmented views per picture in ranking")

    pictures: tuple[PicturePrompt, ...] = Field(
        (), max_length=8, strict=False, description="Pictures to come near to"
    )
    palette: tuple[Annotated[str, Field(pattern="^#[0-9a-f]{6}$")], ...] = Field(
        (), max_length=16, strict=False, description="Colours to come near to"
    )
    palette_weight: float = Field(2.0, ge=0, le=100)
    anti_lettering: float = Field(
        0.0, ge=0, le=10, description="Push away from letters, watermarks and logos"
    )
    noise_prompts: tuple[NoisePrompt, ...] = Field((), max_length=16, strict=False)

    image: str = Field(
        "",
        max_length=4096,
        description="Absolute path of a picture, or a result's JSON file, to begin from",
    )
    strength: float = Field(
        0.5,
        ge=0,
        le=1,
        description="How far from `image`: 0 not, 0.5 in tones, 1 in detail too",
    )
    vary: bool = Field(
        False, description="Variations of `image`: near what it looks like, whatever the words"
    )
    difference: Difference | None = Field(None, description="And turned from one text to another")
    towards: str = Field(
        "", max_length=4096, description="Absolute path as `image`: variations lie between the two"
    )
    shares: tuple[Annotated[float, Field(ge=0, le=1)], ...] = Field(
        (), max_length=16, strict=False, description="Of the way to `towards`, of each variation"
    )
    mask: str = Field("", max_length=4096, description="Absolute path: white may change, black is kept")
    spots: tuple[Spot, ...] = Field((), max_length=4, strict=False, description="Prompts for parts")
    overlay: str = Field("", max_length=4096, description="Absolute path of a picture to lay over the result")
    overlay_every: int = Field(4, ge=1, le=5000, description="Guided steps from one laying over to the next")
    decal: float = Field(
        0.0, ge=0, le=1, description="Share that an alpha map of a random outline covers; 0: no alpha map"
    )
    alpha: str = Field("", max_length=4096, description="Absolute path of an outline, white is opaque")

    # Weights of terms on base colour, each a function in engine/synthesis/terms.py
    symmetry_x: float = Field(0.0, ge=0, le=1000, description="Left and right mirror each other")
    symmetry_y: float = Field(0.0, ge=0, le=1000, description="Top and bottom mirror each other")
    saturation: float = Field(0.0, ge=-1000, le=1000, description="More colourful; below 0, greyer")
    smoothness: float = Field(0.0, ge=0, le=1000, description="Neighbouring pixels are alike")
    flat_lighting: float = Field(0.0, ge=0, le=1000, description="No slow change of brightness")
    edges: float = Field(0.0, ge=0, le=1000, description="More and stronger edges")
    margin: float = Field(0.0, ge=0, le=1000, description="One colour all along the border")
