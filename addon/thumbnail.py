"""A material on a lit ball, rendered here: what a Blender without a window cannot ask of its preview jobs."""

import contextlib
import math
import tempfile
from collections.abc import Iterator
from pathlib import Path

import bmesh
import bpy
import bpy.utils.previews
from bpy.types import Collection, Material, Mesh, Object, Scene, World
from mathutils import Euler, Vector

from . import compat, tuning

SIDE_PX = 256
SAMPLES = 24  # it is small, and shown smaller
BOUNCES = 2  # nothing here lights anything else
BRIGHTEST = 2.0  # of a sample: few samples would leave white dots in narrow grooves
TILES_ACROSS = 1.6  # of the diameter: enough to see that it repeats, and the single tile still large
MARGIN = 1.06  # of the picture's side to the ball's; leaves room for displacement
FRONT = Vector((0, -1, 0))  # where the camera is
SUNS = (  # degrees around x and z, strength, degrees that it fills in the sky
    ((52, -38), 3.2, 20),  # from the upper left
    ((70, 70), 0.5, 90),  # softens the shadow
    ((-60, 25), 0.8, 30),  # from behind, for the rim
)


def render(material: Material) -> None:
    """Render a material and take the picture as its thumbnail. Takes about a second; leaves nothing else.

    Raises:
        RuntimeError: Blender cannot render, as without Cycles.
    """
    with tempfile.TemporaryDirectory() as place, _stage(material) as scene, compat.bumped(material):
        scene.render.filepath = str(Path(place) / "thumbnail.png")
        bpy.ops.render.render(write_still=True, scene=scene.name)
        take(material, Path(scene.render.filepath))


def take(material: Material, path: Path) -> None:
    """Take a picture as the material's thumbnail."""
    shown = bpy.utils.previews.new()
    try:
        picture = shown.load("thumbnail", str(path), "IMAGE")
        preview = material.preview_ensure()
        preview.image_size = picture.image_size
        preview.image_pixels = picture.image_pixels
    finally:
        bpy.utils.previews.remove(shown)


@contextlib.contextmanager
def _stage(material: Material) -> Iterator[Scene]:
    """A scene of its own with the ball, the lights and the camera. All of it goes away again."""
    kinds = ("scenes", "objects", "meshes", "cameras", "lights", "worlds", "images")
    before = {kind: set(getattr(bpy.data, kind)) for kind in kinds}
    try:
        scene = bpy.data.scenes.new("Patina Thumbnail")
        # As large as the tile wants it: so relief, which is in metres, is as deep as it is on objects.
        radius = TILES_ACROSS * tuning.tile_size(material) / 2
        span = material.get("patina_span", 1.0)
        scene.collection.objects.link(_ball(material, radius, span))
        _light(scene.collection)
        _camera(scene, radius)
        scene.world = _sky()
        _set_up(scene)
        yield scene
    finally:
        for kind in kinds:
            data = getattr(bpy.data, kind)
            for item in set(data) - before[kind]:
                if kind == "images":
                    item.user_clear()  # Blender 3.4 counts a user of the render's image whom nobody knows
                data.remove(item)


def _ball(material: Material, radius: float, span: float) -> Object:
    """UVs go out from the point that faces the camera, true to length: the one pole is out of sight.

    Args:
        span: metres of the surface that one unit of its UV map covers.
    """
    mesh: Mesh = bpy.data.meshes.new("Ball")
    bm = bmesh.new()
    uv = bm.loops.layers.uv.new("UVMap")
    bmesh.ops.create_uvsphere(bm, u_segments=96, v_segments=48, radius=radius)
    for face in bm.faces:
        face.smooth = True
        for loop in face.loops:
            way = loop.vert.co.normalized()
            side = Vector((way.x, way.z)).normalized()  # a zero vector stays zero
            loop[uv].uv = Vector((0.5, 0.5)) + side * (radius * way.angle(FRONT) / span)
    bm.to_mesh(mesh)
    bm.free()
    mesh.materials.append(material)
    return bpy.data.objects.new("Ball", mesh)


def _light(collection: Collection) -> None:
    """Suns, whose light does not depend on how large the ball is."""
    for (height, around), strength, angle in SUNS:
        sun = bpy.data.lights.new("Sun", "SUN")
        sun.energy, sun.angle = strength, math.radians(angle)
        item = bpy.data.objects.new("Sun", sun)
        item.rotation_euler = Euler((math.radians(height), 0, math.radians(around)))
        collection.objects.link(item)


def _camera(scene: Scene, radius: float) -> None:
    camera = bpy.data.cameras.new("Camera")
    camera.type, camera.ortho_scale = "ORTHO", 2 * radius * MARGIN
    camera.clip_start, camera.clip_end = radius / 100, radius * 10
    scene.camera = bpy.data.objects.new("Camera", camera)
    scene.camera.location = FRONT * radius * 4
    scene.camera.rotation_euler = (math.pi / 2, 0, 0)
    scene.collection.objects.link(scene.camera)


def _sky() -> World:
    """From dark ground to a bright sky: something for metals and wet stone to mirror."""
    world = bpy.data.worlds.new("Sky")
    compat.use_nodes(world)
    nodes, links = world.node_tree.nodes, world.node_tree.links
    nodes.clear()
    place, split = nodes.new("ShaderNodeTexCoord"), nodes.new("ShaderNodeSeparateXYZ")
    ramp, background = nodes.new("ShaderNodeValToRGB"), nodes.new("ShaderNodeBackground")
    output = nodes.new("ShaderNodeOutputWorld")
    links.new(place.outputs["Generated"], split.inputs[0])
    links.new(split.outputs["Z"], ramp.inputs[0])
    links.new(ramp.outputs["Color"], background.inputs["Color"])
    links.new(background.outputs["Background"], output.inputs["Surface"])
    ramp.color_ramp.elements[0].color = (0.12, 0.11, 0.10, 1.0)
    ramp.color_ramp.elements[1].color = (0.75, 0.78, 0.82, 1.0)
    background.inputs["Strength"].default_value = 0.6
    return world


def _set_up(scene: Scene) -> None:
    try:
        scene.render.engine = "CYCLES"
    except TypeError as error:
        raise RuntimeError("This Blender has no Cycles.") from error
    scene.cycles.device, scene.cycles.samples = "CPU", SAMPLES
    scene.cycles.use_denoising = False  # not every build has a denoiser
    scene.cycles.max_bounces = BOUNCES
    scene.cycles.sample_clamp_direct = scene.cycles.sample_clamp_indirect = BRIGHTEST
    scene.world.cycles.sampling_method = "NONE"  # it is smooth: a map of it takes longer than it saves
    scene.render.resolution_x = scene.render.resolution_y = SIDE_PX
    scene.render.resolution_percentage = 100
    scene.render.film_transparent = True
    scene.render.image_settings.file_format = "PNG"
    scene.render.image_settings.color_mode = "RGBA"
    with contextlib.suppress(TypeError):  # a colour configuration of the artist's own may not have it
        scene.view_settings.view_transform = "Standard"  # as Blender's own previews: true colours
