"""The picture in the making on an object, in a material that is only lent to it.

An operator lends the material; the pump fills its one picture, and takes it back when the run is over. It may
come back with an undo step or with an autosaved file: `sweep` takes it off wherever it does not belong.

While it is lent the artist goes on working: the object may be copied, joined to another or deleted, and what
shares its data shows the material, too. So the material itself knows in whose place it is, everywhere.
"""

import array
from pathlib import Path

import bpy
from bpy.app.handlers import persistent
from bpy.types import Image, Material, Object

from . import compat, mapping, materials, nodes, pump, slots
from .link import Preview

try:
    import numpy as np
except ImportError:  # Debian's Blender has none
    np = None

NAME = "Patina Live"
LENT = "patina_lent"  # on the object: how many material slots it had; on material and picture: whose they are
BEFORE = "patina_before"  # on the material: the one in whose place it is
LINK = "patina_link"  # on the object: the slot that took its material from the object's data
FRACTIONS = tuple(byte / 255 for byte in range(256))

_run: int | None = None  # the run that is shown
_last: Preview | None = None  # what is shown of it
_options: materials.Options | None = None  # how it was lent
_saved_without: tuple[Object, Preview | None] | None = None  # who has it again once the file is saved


def on() -> bool:
    """Whether the run under way is shown on an object."""
    running = pump.session.queue.running if pump.session is not None else None
    there = NAME in bpy.data.materials  # undo may have taken it
    return running is not None and running.number == _run and there


def _go_on() -> None:
    """Where every run is to be shown, the next of the queue takes over what is lent."""
    global _run
    running = pump.session.queue.running if pump.session is not None else None
    if _run is not None and running is not None and bpy.context.scene.patina_using.show_live:
        _run = running.number


def lend(item: Object, options: materials.Options) -> None:
    """Show the run under way on an object, in place of its active material."""
    global _run, _options
    take_back()
    image = bpy.data.images.new(NAME, 16, 16)
    image[LENT] = 1
    material = bpy.data.materials.new(NAME)
    material[LENT] = 1
    _build(material, image, mapping.choose([item], options.mapping, options.tile_size))
    item[LENT] = len(item.material_slots)
    if item.active_material is not None:
        material[BEFORE] = item.active_material
    if item.data.library is not None and item.material_slots[item.active_material_index].link == "DATA":
        item[LINK] = item.active_material_index
    slots.put(item, material)
    _run, _options = pump.session.queue.running.number, options


def take_back() -> None:
    """Give everything back the material that it had, and remove the lent one and its picture."""
    global _run, _last
    _run = _last = None
    for material in [material for material in bpy.data.materials if LENT in material]:
        before = material.get(BEFORE)
        if before is not None:
            material.user_remap(before)
        for item in bpy.data.objects:
            if LENT in item:
                _restore(item, before)
        bpy.data.materials.remove(material)
    for item in bpy.data.objects:
        if LENT in item:
            _forget(item)
    for image in [image for image in bpy.data.images if LENT in image]:
        bpy.data.images.remove(image)


def own_material(item: Object | None) -> Material | None:
    """An object's active material; while another one is lent to it, the one that it will have back."""
    material = getattr(item, "active_material", None)
    return material.get(BEFORE) if material is not None and LENT in material else material


def show(preview: Preview) -> None:
    """Take a preview into the picture, if it is of the first variation. A render keeps what it began with."""
    global _last
    if compat.is_rendering():
        return
    image = bpy.data.images.get(NAME)
    if preview.variation != 0 or image is None or LENT not in image or not on():
        return
    try:
        content = Path(preview.file).read_bytes()
    except OSError:
        return
    if not content or len(content) != 4 * preview.width * preview.height:
        return
    if tuple(image.size) != (preview.width, preview.height):
        image.scale(preview.width, preview.height)
    image.pixels.foreach_set(_floats(content))
    image.update()
    image.update_tag()  # or Material Preview blends old and new
    _last = preview


def sweep() -> bool:
    """With every tick and mirror: take it off where no run is shown. True while a render holds that up."""
    global _run
    if not hasattr(bpy.data, "materials"):
        return False  # the add-on is being enabled: Blender shows no data meanwhile
    _go_on()
    bpy.context.window_manager.patina_queue.live_on_object = on()
    if not on():
        _run = None
        if any(NAME in blocks for blocks in (bpy.data.materials, bpy.data.images)):
            if compat.is_rendering():
                return True
            take_back()
    return False


def _floats(content: bytes) -> "array.array | np.ndarray":
    if np is None:
        return array.array("f", map(FRACTIONS.__getitem__, content))
    return np.frombuffer(content, np.uint8).astype(np.float32) / 255


def _restore(item: Object, before: Material | None) -> None:
    """Give a slot back to the object's data, and take away one that was made for the lent material alone."""
    held = item.material_slots
    index = item.get(LINK, len(held))
    if index < len(held) and held[index].link == "OBJECT" and held[index].material == before:
        held[index].material, held[index].link = None, "DATA"
    lent = [slot for slot in held if slot.material is not None and LENT in slot.material]
    if item[LENT] == 0 and len(held) == 1 and lent:
        item.data.materials.clear()


def _forget(item: Object) -> None:
    for name in (LENT, LINK):
        if name in item:
            del item[name]


def _build(material: Material, image: Image, layout: mapping.Mapping) -> None:
    compat.use_nodes(material)
    tree = material.node_tree
    tree.nodes.clear()
    names = ("OutputMaterial", "BsdfPrincipled", "TexImage", "Mapping", "TexCoord")
    output, bsdf, texture, place, source = (tree.nodes.new(f"ShaderNode{name}") for name in names)
    texture.image = image
    if layout.box:
        texture.projection, texture.projection_blend = "BOX", nodes.BLEND
    place.inputs["Scale"].default_value = layout.scale
    for start, end in (
        (source.outputs[layout.source], place.inputs["Vector"]),
        (place.outputs["Vector"], texture.inputs["Vector"]),
        (texture.outputs["Color"], bsdf.inputs["Base Color"]),
        (bsdf.outputs["BSDF"], output.inputs["Surface"]),
    ):
        tree.links.new(start, end)
    tree.nodes.active = texture


@persistent
def _saving(*_: object) -> None:
    """A file is saved without it."""
    global _saved_without
    lent = next((item for item in bpy.data.objects if LENT in item), None)
    _saved_without = (lent, _last) if lent is not None and on() else None
    take_back()


@persistent
def _saved(*_: object) -> None:
    """Nobody has asked for its end: it is there again, as it was."""
    global _saved_without
    if _saved_without is None:
        return
    item, shown = _saved_without
    _saved_without = None
    lend(item, _options)
    if shown is not None:
        show(shown)


@persistent
def _undone(*_: object) -> None:
    """Undo may have brought it back. The next tick sees to it: removing data in mid-undo asks for trouble."""
    if NAME in bpy.data.materials:
        pump.nudge()


HANDLERS = (
    *(("save_pre", _saving), ("save_post", _saved), ("save_post_fail", _saved)),
    *(("undo_post", _undone), ("redo_post", _undone)),
)


def register() -> None:
    pump.viewers.append(show)
    pump.chores.append(sweep)
    pump.mirrors.append(sweep)
    for name, handler in HANDLERS:
        if hasattr(bpy.app.handlers, name):  # a saving that fails is told of from 3.6 on
            getattr(bpy.app.handlers, name).append(handler)


def unregister() -> None:
    for name, handler in HANDLERS:
        if hasattr(bpy.app.handlers, name):
            getattr(bpy.app.handlers, name).remove(handler)
    take_back()
    pump.mirrors.remove(sweep)
    pump.chores.remove(sweep)
    pump.viewers.remove(show)
