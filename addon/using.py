"""How a result is put to use: properties, stored with the scene. None of them has a callback."""

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, FloatVectorProperty, PointerProperty
from bpy.types import PropertyGroup


class PatinaUsing(PropertyGroup):
    """What Apply and the asset library take from the artist, besides the material's own settings."""

    target: EnumProperty(
        name="Apply To",
        description="Who gets the material in Object Mode; in Edit Mode, the selected faces do",
        items=(
            ("SELECTED", "Selected", "All selected objects"),
            ("ACTIVE", "Active", "The active object alone"),
        ),
    )
    apply_as: EnumProperty(
        name="As",
        description="What happens to the material that is there",
        items=(
            ("NEW", "New Material", "The result's own material takes the place of the active one"),
            (
                "REPLACE",
                "Replace Maps",
                "The active Patina material gets other maps: all that use it follow, your own nodes stay",
            ),
        ),
    )
    show_live: BoolProperty(
        name="Show While Made",
        description="Show the first variation of every run on the active object while it is being made, in "
        "Material Preview; the object gets its own material back when the run is over",
    )
    scale: FloatVectorProperty(
        name="Stretch",
        description="Makes the pattern wider along each axis, on top of the tile size",
        default=(1.0, 1.0, 1.0),
        min=0.01,
        soft_max=10.0,
        subtype="XYZ",
        size=3,
    )
    rotation: FloatProperty(
        name="Rotation",
        description="Turns the pattern; bump makes its relief then, as a normal map would not turn with it",
        subtype="ANGLE",
        unit="ROTATION",
    )
    use_depth: BoolProperty(
        name="Relief in Metres",
        description="Choose how deep the surface is; without it, the tile size and the result say",
    )
    depth: FloatProperty(
        name="Relief",
        description="From the lowest to the highest point of the surface, for bump and displacement",
        default=0.02,
        min=0.0,
        soft_max=0.5,
        precision=4,
        step=0.1,
        subtype="DISTANCE",
        unit="LENGTH",
    )
    subdivide: EnumProperty(
        name="Subdivide",
        description="What gives the mesh the faces that displacement moves",
        items=(
            ("NONE", "As It Is", "Leave the mesh alone"),
            ("PLAIN", "Plain", "Add a subdivision modifier that keeps the shape"),
            ("ADAPTIVE", "Adaptive", "Add one that divides as finely as the camera sees it (Cycles)"),
        ),
    )


def chosen_depth(using: PatinaUsing) -> float | None:
    """Metres from the lowest to the highest point; None where tile size and result say.

    No method: Blender 4.2 crashes at its end where a property group has one.
    """
    return using.depth if using.use_depth else None


CLASSES = (PatinaUsing,)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.Scene.patina_using = PointerProperty(type=PatinaUsing)


def unregister() -> None:
    del bpy.types.Scene.patina_using
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
