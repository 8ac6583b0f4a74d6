"""What the artist sets, in the scene; and what the engine reports, in the window manager.

No property has a callback, neither for items nor for updates: one that was ever registered makes bpy 4.2
crash when the process ends, even if the add-on was disabled before.
"""

from typing import Any

import bpy
from bpy.app.handlers import persistent
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)
from bpy.types import PropertyGroup

from . import presets, quality, sources, starting
from .words import mark

SIDES = (128, 256, 384, 512, 768, 1024, 2048)
GRID = 8  # the engine's pictures have sides of multiples of this; of some packs, of 16
MAX_SEED = 2**31 - 1  # the engine takes more, Blender's integers do not

TILES = (
    ("xy", "Both", "Repeats without seams in both directions"),
    ("x", "X", "Repeats without seams from left to right"),
    ("y", "Y", "Repeats without seams from bottom to top"),
    ("none", "None", "A single picture that does not repeat"),
)
STARTS = (
    ("auto", "Auto", "The first of the following that the model pack has"),
    ("exemplar", "Exemplars", "Materials that the pack remembers, laid out anew"),
    ("prior", "Prior", "Layouts drawn from nothing: freer, and less orderly"),
    ("codes", "Random Codes", "Noise: what comes of it is up to the steps"),
    ("noise", "Fractal Noise", "Clouds in random colours: what comes of them is up to the steps"),
    ("gradient", "Gradient", "From one random colour to another: what comes of it is up to the steps"),
)
QUALITIES = (
    ("draft", "Draft", "For trying out words: fewer steps, and fewer views"),
    ("normal", "Normal", "What suits most surfaces"),
    ("best", "Best", "More steps and views, and of each variation the best of several"),
)
COARSE = (
    ("AUTO", "Auto", "At half the size first where the result is 512 pixels or larger"),
    ("ON", "Half Size First", "Most steps at half the size: faster, and large forms come out better"),
    ("OFF", "Full Size", "All steps at the full size"),
)
PARTS = {  # of the settings, by heading, in the order in which a run comes to them
    mark("First Ideas"): ("start", "proposals", "temperature", "redraw"),
    mark("Guidance"): ("steps", "coarse", "cutouts", "negative_weight", "keep", "coherence"),
    mark("Ranking Results"): ("candidates", "judge_views"),
}
ADVANCED = tuple(name for names in PARTS.values() for name in names)
FILLED = ("quality", *ADVANCED)
"""What is left to the preset, then to the quality, until the artist touches it."""


def set_side(inputs: Any, name: str, pixels: int) -> None:
    """Set the width or the height alone, keeping the other as it is."""
    width, height = resolution(inputs)
    inputs.width, inputs.height = (pixels, height) if name == "width" else (width, pixels)
    inputs.size = str(pixels) if inputs.width == inputs.height and pixels in SIDES else "CUSTOM"


def set_by_name(inputs: Any, name: str, value: Any) -> None:
    """Set what the engine calls `name`.

    Raises:
        AttributeError, TypeError, ValueError: there is no such property, or it cannot have this value.
    """
    if name in ("width", "height"):
        set_side(inputs, name, int(value))
    elif name == "coarse" and isinstance(value, bool):
        inputs.coarse = "ON" if value else "OFF"
    elif name in inputs.bl_rna.properties:
        setattr(inputs, name, value)
        if name == "relief":
            inputs.use_relief = True
    else:
        raise AttributeError(name)


def resolution(inputs: Any) -> tuple[int, int]:
    """Width and height in pixels, multiples of 8."""
    if inputs.size != "CUSTOM":
        return int(inputs.size), int(inputs.size)
    return round(inputs.width / GRID) * GRID, round(inputs.height / GRID) * GRID


def preset_choice(icons: "dict[str, int] | None" = None) -> Any:
    """The choice among the presets that there are now: `gallery` defines it again when they change.

    Args:
        icons: of the presets' pictures, by id; 0 or missing where there is none.
    """
    return EnumProperty(
        name="Preset",
        description="The kind of surface: adds words to the prompt and sets what suits it",
        items=presets.enum_items(icons or {}),
        default=presets.DEFAULT,
    )


class PatinaInputs(PropertyGroup):
    """What a run depends on, and how its result is applied. Stored with the scene."""

    prompt: StringProperty(
        name="Prompt", description="The surface in your own words, such as mossy cobblestones", maxlen=2000
    )
    negative: StringProperty(name="Avoid", description="What the surface should not look like", maxlen=2000)
    preset: preset_choice()
    quality: EnumProperty(
        name="Quality",
        description="How much time a run may take: sets what you have not set yourself",
        items=QUALITIES,
        default=quality.DEFAULT,
    )
    variations: IntProperty(
        name="Variations", description="How many to make at once; they come ranked", default=4, min=1, max=16
    )
    size: EnumProperty(
        name="Size",
        description="Width and height of the result in pixels; twice the size takes four times as long",
        items=[(str(side), f"{side} px", f"{side} × {side}") for side in SIDES]
        + [("CUSTOM", "Custom", "Width and height apart")],
        default="256",
    )
    width: IntProperty(
        name="Width",
        description="Pixels, rounded to multiples of 8",
        default=256,
        min=128,
        max=2048,
        subtype="PIXEL",
    )
    height: IntProperty(
        name="Height",
        description="Pixels, rounded to multiples of 8",
        default=256,
        min=128,
        max=2048,
        subtype="PIXEL",
    )
    tile: EnumProperty(name="Tiling", description="Where the result repeats without a seam", items=TILES)
    seed: IntProperty(
        name="Seed",
        description="The same seed and settings give the same result again. What you type is what the next "
        "run uses; the runs after it draw others, and show them here",
        default=0,
        min=0,
        max=MAX_SEED,
    )
    spent_seed: IntProperty(
        name="Spent Seed", description="The seed that a run has used last", default=-1, options={"HIDDEN"}
    )
    lock_seed: BoolProperty(
        name="Lock Seed",
        description="Keep the seed for all runs, as it is after Reuse Settings. Without it, a seed that you "
        "typed or shuffled serves for one run, and every other run draws another",
    )

    steps: IntProperty(
        name="Steps",
        description="Of the optimiser: how long the words guide the picture; 0 keeps the first ideas",
        default=12,
        min=0,
        max=5000,
        soft_max=400,
    )
    start: EnumProperty(name="Ideas From", description="What the first ideas are made of", items=STARTS)
    redraw: FloatProperty(
        name="Redraw",
        description="How much of an exemplar is drawn anew before the steps begin",
        default=0.0,
        min=0,
        max=1,
        subtype="FACTOR",
    )
    proposals: IntProperty(
        name="Proposals",
        description="First ideas for each variation; the best is kept",
        default=6,
        min=1,
        max=16,
    )
    cutouts: IntProperty(
        name="Cutouts",
        description="How many parts of the picture are compared with the words in each step; "
        "more is steadier and slower",
        default=8,
        min=1,
        max=128,
        soft_max=64,
    )
    temperature: FloatProperty(
        name="Variety",
        description="How far the first ideas stray; 0 takes the likeliest",
        default=1.0,
        min=0,
        max=4,
    )
    negative_weight: FloatProperty(
        name="Avoid Weight", description="How strongly to keep away from Avoid", default=0.5, min=0, max=4
    )
    keep: FloatProperty(
        name="Hold to First Idea",
        description="How strongly the steps are pulled back to the first idea; "
        "less lets the words change more",
        default=12.0,
        min=0,
        max=100,
        soft_max=30,
    )
    coherence: FloatProperty(
        name="Smoothing",
        description="How strongly neighbouring places are made to change together; "
        "less lets in detail, and grain",
        default=40.0,
        min=0,
        max=1000,
        soft_max=200,
    )
    judge_views: IntProperty(
        name="Ranking Cutouts",
        description="How many parts of a finished picture are compared with the words to rank it; "
        "more is more reliable",
        default=16,
        min=1,
        max=128,
    )
    candidates: IntProperty(
        name="Candidates",
        description="Tried for each variation; the weaker half is dropped, again and again",
        default=1,
        min=1,
        max=16,
    )
    coarse: EnumProperty(
        name="Begin At",
        description="The size of the first steps; half the size is faster",
        items=COARSE,
        default="AUTO",
    )
    use_relief: BoolProperty(
        name="Set Relief", description="Choose how deep the surface is instead of leaving it to the engine"
    )
    relief: FloatProperty(
        name="Relief",
        description="Depth of the surface as a fraction of the tile's width",
        default=0.02,
        min=0.001,
        max=0.5,
        soft_max=0.1,
        precision=3,
        step=0.5,
    )

    tile_size: FloatProperty(
        name="Tile Size",
        description="Width of one tile in the scene; sets the size of the pattern and its depth",
        default=1.0,
        min=0.001,
        soft_max=10.0,
        subtype="DISTANCE",
        unit="LENGTH",
    )
    normal_strength: FloatProperty(
        name="Normal Strength",
        description="How strongly the relief shows in the light",
        default=1.0,
        min=0,
        max=4,
    )
    displacement: EnumProperty(
        name="Relief By",
        description="What makes the relief",
        items=(
            ("OFF", "Normal Map", "Light only, by the normal map: fits every mesh"),
            ("BUMP", "Bump", "Light only, by the height map"),
            ("REAL", "Displacement", "Moves the surface (Cycles); needs a finely divided mesh"),
        ),
    )
    mapping: EnumProperty(
        name="Mapping",
        description="How the material lies on the object",
        items=(
            ("AUTO", "Auto", "The object's UV map at the tile size; box projection where it has none"),
            ("UV", "UV Map", "One tile fills the UV square"),
            ("BOX", "Box", "Projected from six sides at the tile size; needs no UV map"),
        ),
    )


class PatinaResult(PropertyGroup):
    """One variation of the last run, for the panel."""

    key: StringProperty()
    rank: IntProperty()
    judge_score: FloatProperty()
    seam: FloatProperty()
    relief: FloatProperty()
    seed: StringProperty()
    basecolor: StringProperty(subtype="FILE_PATH")
    tags: StringProperty()
    flaws: StringProperty()
    starred: BoolProperty()


class PatinaState(PropertyGroup):
    """What panels draw of the engine. Written by the pump alone, and never saved with a scene."""

    state: StringProperty(default="stopped")
    job: BoolProperty()
    cancelling: BoolProperty()
    progress: FloatProperty(name="Progress", subtype="FACTOR", min=0, max=1)
    status: StringProperty()
    live: IntProperty()
    message: StringProperty()
    setting: StringProperty()
    value: StringProperty()
    details: StringProperty()
    log_tail: StringProperty()
    warnings: StringProperty()
    device: StringProperty()
    version: StringProperty()
    unfinished: BoolProperty()
    finished: IntProperty()
    results: CollectionProperty(type=PatinaResult)
    selected: IntProperty()


def run_settings(inputs: Any) -> dict[str, Any]:
    """The parameters of a `generate` request, less where it runs and where results go.

    Raises:
        RefusedError: there is a start image or a mask, and no file can be made of it.
    """
    scene = inputs.id_data
    begins = starting.settings(scene, bpy.context.active_object)
    return {**word_settings(inputs), **sources.run_settings(scene), **begins}


def word_settings(inputs: Any) -> dict[str, Any]:
    """Parameters other than pictures. What is not touched is left to the preset and the quality."""
    width, height = resolution(inputs)
    settings: dict[str, Any] = {
        "prompt": inputs.prompt.strip(),
        "negative": inputs.negative.strip(),
        "preset": inputs.preset or presets.DEFAULT,  # empty where a scene's preset is gone
        "variations": inputs.variations,
        "width": width,
        "height": height,
        "tile": inputs.tile,
        "seed": inputs.seed,
    }
    touched = {name: getattr(inputs, name) for name in FILLED if inputs.is_property_set(name)}
    if touched.get("coarse") == "AUTO":
        del touched["coarse"]
    settings |= {name: value == "ON" if name == "coarse" else plain(value) for name, value in touched.items()}
    if inputs.use_relief:
        settings["relief"] = plain(inputs.relief)
    return settings


def set_by_preset(inputs: Any) -> dict[str, Any]:
    """Settings of the run that the preset chooses, as the artist has never touched theirs."""
    preset = presets.of(inputs.preset)
    chosen = preset.settings.items() if preset else ()
    return {name: value for name, value in chosen if name in FILLED and not inputs.is_property_set(name)}


def set_by_quality(inputs: Any) -> dict[str, Any]:
    """Settings of the run that the quality chooses, as neither the artist nor the preset does."""
    by_preset = set_by_preset(inputs)
    chosen = quality.filled(by_preset.get("quality", inputs.quality), *resolution(inputs))
    left = {name: value for name, value in chosen.items() if not inputs.is_property_set(name)}
    return {name: value for name, value in left.items() if name not in by_preset}


def held(inputs: Any) -> dict[str, Any]:
    """What a run will have of the settings that tell how long it takes, whoever chose them."""
    mine = {name: getattr(inputs, name) for name in ("steps", "candidates", "variations")}
    return {**mine, **set_by_quality(inputs), **set_by_preset(inputs)}


def plain(value: float) -> float:
    """Blender's floats have 32 bits: 0.1 comes back as 0.10000000149, which no one wants in a sidecar."""
    return round(value, 6) if isinstance(value, float) else value


CLASSES = (PatinaInputs, PatinaResult, PatinaState)


@persistent
def _file_loaded(*_: object) -> None:
    """A file of a later Patina may have choices that this one does not know. They would be empty here.

    Not the preset: the gallery says what becomes of that.
    """
    for scene in bpy.data.scenes:
        for group in (scene.patina, scene.patina_using, scene.patina_start, scene.patina_files):
            choices = {item.identifier for item in group.bl_rna.properties if item.type == "ENUM"}
            for name in choices - {"preset"}:
                if not getattr(group, name):
                    group.property_unset(name)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.app.handlers.load_post.append(_file_loaded)
    bpy.types.Scene.patina = PointerProperty(type=PatinaInputs)
    bpy.types.WindowManager.patina = PointerProperty(type=PatinaState)


def unregister() -> None:
    bpy.app.handlers.load_post.remove(_file_loaded)
    del bpy.types.WindowManager.patina
    del bpy.types.Scene.patina
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
