"""The picture in the making on an object, in a material that is only lent to it.

An operator lends the material; the pump fills its one picture, and takes it back when the run is over. It may
come back with an undo step or with an autosaved file: `sweep` takes it off wherever it does not belong.
"""

import array
from pathlib import Path

import bpy
from bpy.app.handlers import persistent
from bpy.types import Image, Material, Object

from . import compat, mapping, materials, nodes, pump
from .link import Preview

try:
    import numpy as np
except ImportError:  # Debian's Blender has none
    np = None

NAME = "Patina Live"
LENT = "patina_lent"  # on the object: how many material slots it had; on material and picture: whose they are
BEFORE = "patina_before"  # on the object: the material that it had
FRACTIONS = tuple(byte / 255 for byte in range(256))

_run: int | None = None  # the run that is shown


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
    global _run
    take_back()
    image = bpy.data.images.new(NAME, 16, 16)
    image[LENT] = 1
    material = bpy.data.materials.new(NAME)
    material[LENT] = 1
    _build(material, image, mapping.choose([item], options.mapping, options.tile_size))
    item[LENT] = len(item.material_slots)
    if item.active_material is not None:
        item[BEFORE] = item.active_material
    item.active_material = material
    _run = pump.session.queue.running.number


def take_back() -> None:
    """Give every object back what it had, and remove material and picture."""
    global _run
    _run = None
    for item in bpy.data.objects:
        if LENT in item:
            _restore(item)
    for collection in (bpy.data.materials, bpy.data.images):
        for block in [block for block in collection if LENT in block]:
            collection.remove(block)


def show(preview: Preview) -> None:
    """Take a preview into the picture, if it is of the first variation."""
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


def sweep() -> bool:
    """With every tick and mirror: take the material off where no run is shown. Never more to do."""
    global _run
    if not hasattr(bpy.data, "materials"):
        return False  # the add-on is being enabled: Blender shows no data meanwhile
    _go_on()
    bpy.context.window_manager.patina_queue.live_on_object = on()
    if not on():
        _run = None
        if any(NAME in blocks for blocks in (bpy.data.materials, bpy.data.images)):
            take_back()
    return False


def _floats(content: bytes) -> "array.array | np.ndarray":
    if np is None:
        return array.array("f", map(FRACTIONS.__getitem__, content))
    return np.frombuffer(content, np.uint8).astype(np.float32) / 255


def _restore(item: Object) -> None:
    before, slots = item.get(BEFORE), item[LENT]
    for slot in item.material_slots:
        if slot.material is not None and LENT in slot.material:
            slot.material = before
    if slots == 0 and item.data is not None:
        item.data.materials.clear()
    for name in (LENT, BEFORE):
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
    take_back()


@persistent
def _undone(*_: object) -> None:
    """Undo may have brought it back. The next tick sees to it: removing data in mid-undo asks for trouble."""
    if NAME in bpy.data.materials:
        pump.nudge()


HANDLERS = (("save_pre", _saving), ("undo_post", _undone), ("redo_post", _undone))


def register() -> None:
    pump.viewers.append(show)
    pump.chores.append(sweep)
    pump.mirrors.append(sweep)
    for name, handler in HANDLERS:
        getattr(bpy.app.handlers, name).append(handler)


def unregister() -> None:
    for name, handler in HANDLERS:
        getattr(bpy.app.handlers, name).remove(handler)
    take_back()
    pump.mirrors.remove(sweep)
    pump.chores.remove(sweep)
    pump.viewers.remove(show)
