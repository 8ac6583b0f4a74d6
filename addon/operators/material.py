"""Putting a result on objects, and changing it there."""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

from bpy.props import EnumProperty, FloatProperty
from bpy.types import Context, Event, Material, Object, Operator

from .. import choice, materials, pump, slots, subdivision, targets, tuning
from ..remedies import RefusedError, refusal
from ..using import chosen_depth
from ..words import tr
from . import trouble


class PATINA_OT_apply(Operator):
    bl_idname = "patina.apply"
    bl_label = "Apply"
    bl_description = "Put the selected variation on the selected objects or faces as a material"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        if pump.session is None or pump.session.chosen is None:
            cls.poll_message_set("Generate a material first")
            return False
        if refused := refusal(targets.check, context):
            cls.poll_message_set(str(refused))
            return False
        return True

    def execute(self, context: Context) -> set[str]:
        try:
            replacing = context.scene.patina_using.apply_as == "REPLACE"
            said = _replace(context) if replacing else _apply(context)
        except (materials.MissingFilesError, RefusedError) as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.report({"INFO"}, ". ".join(said))
        return {"FINISHED"}


def options(context: Context) -> materials.Options:
    """How the artist wants the material."""
    inputs, using = context.scene.patina, context.scene.patina_using
    chosen = {name: choice.material_value(inputs, name) for name in choice.MATERIAL}
    return materials.Options(
        **chosen, scale=tuple(using.scale), rotation=using.rotation, depth=chosen_depth(using)
    )


def _apply(context: Context) -> list[str]:
    """Returns what there is to say."""
    found, wanted = targets.find(context), options(context)
    material = materials.make(found.objects, pump.session.chosen, wanted)
    if found.faces:
        count = sum(slots.put_on_selected_faces(item, material) for item in found.objects)
        faces = tr("{count} face" if count == 1 else "{count} faces", count=count)
        said = [tr("{material} is on {objects}", material=material.name, objects=faces)]
    else:
        for item in found.objects:
            slots.put(item, material)
        names = (
            found.objects[0].name
            if len(found.objects) == 1
            else tr("{count} objects", count=len(found.objects))
        )
        said = [tr("{material} is on {objects}", material=material.name, objects=names)]
    if sharers := _sharers(context, found.objects):
        said.append(
            tr("So it is on 1 other object that shares the same data")
            if sharers == 1
            else tr("So it is on {count} other objects that share the same data", count=sharers)
        )
    if wanted.displacement == "REAL" and context.scene.patina_using.subdivide != "NONE":
        kind = context.scene.patina_using.subdivide
        said += [subdivision.add(context, item, kind) for item in found.objects]
    return said + found.left_out


def _replace(context: Context) -> list[str]:
    changed = targets.of_ours(context)
    for material in changed:
        materials.replace(material, pump.session.chosen, tuning.tile_size(material))
    names = ", ".join(f"{item.name} ({_users(tuning.users(item))})" for item in changed)
    return [tr("Other maps are in {materials}", materials=names)]


def _sharers(context: Context, objects: list[Object]) -> int:
    """How many other objects of the scene got the material along with ours."""
    data = {item.data for item in objects if item.data.users > 1 and item.data.library is None}
    return sum(1 for item in context.scene.objects if item.data in data and item not in objects)


def _users(count: int) -> str:
    return tr("{count} user" if count == 1 else "{count} users", count=count)


class PATINA_OT_show_active(Operator):
    bl_idname = "patina.show_active"
    bl_label = "Show It"
    bl_description = "Show the active object, which is hidden"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        return trouble.holds(cls, context.active_object, "There is no active object")

    def execute(self, context: Context) -> set[str]:
        item = context.active_object
        item.hide_viewport = False
        item.hide_set(False)
        item.select_set(True)
        if not item.visible_get():
            self.report(
                {"WARNING"},
                tr("{object} is in a collection that is hidden. Show that first", object=item.name),
            )
        return {"FINISHED"}


class Tuning:
    """For operators on the active object's Patina material."""

    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        if material_of(context) is None:
            cls.poll_message_set("The active object has no Patina material of this file")
            return False
        return True


def material_of(context: Context) -> Material | None:
    """What the panel for changes afterwards is about."""
    return tuning.active(context.active_object)


class PATINA_OT_set_tile_size(Tuning, Operator):
    bl_idname = "patina.set_tile_size"
    bl_label = "Set Tile Size"
    bl_description = "Make the pattern of the active material larger or smaller, and its relief with it"

    tile_size: FloatProperty(
        name="Tile Size",
        description="Width of one tile in the scene",
        default=1.0,
        min=0.001,
        soft_max=10.0,
        subtype="DISTANCE",
        unit="LENGTH",
    )

    def invoke(self, context: Context, event: Event) -> set[str]:
        self.tile_size = tuning.tile_size(material_of(context))
        return context.window_manager.invoke_props_popup(self, event)

    def execute(self, context: Context) -> set[str]:
        tuning.set_tile_size(material_of(context), self.tile_size)
        return {"FINISHED"}


class PATINA_OT_set_relief(Tuning, Operator):
    bl_idname = "patina.set_relief"
    bl_label = "Set Relief"
    bl_description = "Choose what makes the relief of the active material"

    means: EnumProperty(
        name="Relief By",
        description="What makes the relief",
        items=(
            ("NORMAL", "Normal Map", "Light only, by the normal map"),
            ("BUMP", "Bump", "Light only, by the height map"),
            ("REAL", "Displacement", "Moves the surface (Cycles); needs a finely divided mesh"),
        ),
    )

    def execute(self, context: Context) -> set[str]:
        tuning.set_means(material_of(context), self.means)
        return {"FINISHED"}


class PATINA_OT_subdivide(Tuning, Operator):
    bl_idname = "patina.subdivide"
    bl_label = "Subdivide"
    bl_description = "Give the active object the faces that displacement moves, by a modifier"

    kind: EnumProperty(
        name="Kind",
        description="How the faces are divided",
        items=(
            ("PLAIN", "Plain", "Evenly, keeping the shape"),
            ("ADAPTIVE", "Adaptive", "As finely as the camera sees it (Cycles)"),
        ),
    )

    def execute(self, context: Context) -> set[str]:
        self.report({"INFO"}, subdivision.add(context, context.active_object, self.kind))
        return {"FINISHED"}


CLASSES = (
    PATINA_OT_apply,
    PATINA_OT_show_active,
    PATINA_OT_set_tile_size,
    PATINA_OT_set_relief,
    PATINA_OT_subdivide,
)
