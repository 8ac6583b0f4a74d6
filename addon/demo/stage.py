"""The demo's stage: two bodies that show a material well, a backdrop, three lights and a camera."""

from __future__ import annotations

import math
from collections.abc import Iterable

import bpy  # first: bmesh and mathutils exist only once it is loaded

import bmesh  # isort: skip
from mathutils import Matrix, Vector  # isort: skip

CUBE_HALF, CUBE_BEVEL = 0.75, 0.2
CUBE_SIDE = 2 * (CUBE_HALF - CUBE_BEVEL + CUBE_BEVEL * math.pi / 4)  # along the surface, edge to edge
CUBE_POSE = Matrix.Translation((-0.72, 0.1, CUBE_HALF)) @ Matrix.Rotation(math.radians(-28), 4, "Z")
BALL_CENTRE, BALL_RADIUS = Vector((0.98, -0.45, 0.72)), 0.72
CAMERA, AIM = Vector((0.25, -6.6, 2.5)), Vector((0.08, -0.1, 0.68))


def build(scene: bpy.types.Scene) -> bpy.types.Object:
    """Empty the scene, set the stage, and return the object that is to wear the material."""
    for thing in list(bpy.data.objects):
        bpy.data.objects.remove(thing)
    shown = bpy.data.objects.new("Bodies", bodies())
    put(scene, shown, bpy.data.objects.new("Backdrop", backdrop()), take_picture_from(scene))
    put(scene, area_light("Key", (-3.8, -2.6, 4.2), size=1.4, watts=500, colour=(1.0, 0.95, 0.88)))
    put(scene, area_light("Fill", (4.5, -4.0, 2.2), size=4.0, watts=90, colour=(0.85, 0.92, 1.0)))
    put(scene, area_light("Rim", (2.4, 3.4, 4.2), size=2.0, watts=300, colour=(1.0, 1.0, 1.0)))
    scene.world = sky()
    return shown


def put(scene: bpy.types.Scene, *things: bpy.types.Object) -> None:
    for thing in things:
        scene.collection.objects.link(thing)


def bodies() -> bpy.types.Mesh:
    """A rounded cube and a ball in one mesh, one UV unit a metre on both."""
    mesh = bpy.data.meshes.new("Bodies")
    bm = bmesh.new()
    uv = bm.loops.layers.uv.new("UVMap")
    add_rounded_cube(bm, uv)
    add_ball(bm, uv)
    for face in bm.faces:
        face.smooth = True
    bm.to_mesh(mesh)
    bm.free()
    return mesh


def add_rounded_cube(bm: bmesh.types.BMesh, uv: bmesh.types.BMLayerItem) -> None:
    """Its sides are one strip, front, right and back to the right of each other, and the top joins the front.

    So the pattern runs on round the edges that the camera sees, but for the one between top and right side.
    """
    bmesh.ops.create_cube(bm, size=2 * CUBE_HALF)
    bmesh.ops.bevel(bm, geom=bm.edges[:], offset=CUBE_BEVEL, segments=10, profile=0.5, affect="EDGES")
    for face in bm.faces:
        middle = face.calc_center_median()
        axis = max(range(3), key=lambda i: abs(middle[i]))
        for loop in face.loops:
            x, y, z = map(unrolled, loop.vert.co)
            across, up = (
                (math.copysign(y, y * middle.x) + math.copysign(CUBE_SIDE, middle.x), z),
                (math.copysign(x, -x * middle.y) + (2 * CUBE_SIDE if middle.y > 0 else 0), z),
                (x, math.copysign(y, y * middle.z) + math.copysign(CUBE_SIDE, middle.z)),
            )[axis]
            loop[uv].uv = (0.5 + across, 0.5 + up)
    bmesh.ops.transform(bm, matrix=CUBE_POSE, verts=bm.verts[:])


def unrolled(along: float) -> float:
    """A coordinate on the rounded cube as the way along its surface, so that bevels do not stretch."""
    over = abs(along) - (CUBE_HALF - CUBE_BEVEL)
    if over <= 0:
        return along
    arc = CUBE_BEVEL * math.asin(min(over / CUBE_BEVEL, 1.0))
    return math.copysign(CUBE_HALF - CUBE_BEVEL + arc, along)


def add_ball(bm: bmesh.types.BMesh, uv: bmesh.types.BMLayerItem) -> None:
    """A ball whose UVs go out from the point that faces the camera: the one pole is out of sight."""
    made = bmesh.ops.create_uvsphere(bm, u_segments=96, v_segments=48, radius=BALL_RADIUS)["verts"]
    bmesh.ops.translate(bm, vec=BALL_CENTRE, verts=made)
    front = (CAMERA - BALL_CENTRE).normalized()
    right = Vector((0, 0, 1)).cross(front).normalized()
    up = front.cross(right)
    for face in {face for vertex in made for face in vertex.link_faces}:
        for loop in face.loops:
            way = (loop.vert.co - BALL_CENTRE).normalized()
            side = Vector((way.dot(right), way.dot(up)))
            arc = BALL_RADIUS * way.angle(front)
            loop[uv].uv = Vector((0.5, 0.5)) + side.normalized() * arc  # a zero vector stays zero


def backdrop() -> bpy.types.Mesh:
    """A floor that curves up into a wall, as in a photographer's studio."""
    radius, foot, half_width = 3.0, 3.5, 16.0
    arc = (math.radians(angle) for angle in range(0, 91, 3))
    curve = [(foot + radius * math.sin(angle), radius - radius * math.cos(angle)) for angle in arc]
    profile = [(-9.0, 0.0), *curve, (foot + radius, 12.0)]
    mesh = bpy.data.meshes.new("Backdrop")
    corners = [(x, y, z) for y, z in profile for x in (-half_width, half_width)]
    faces = [(i, i + 1, i + 3, i + 2) for i in range(0, len(corners) - 2, 2)]
    mesh.from_pydata(corners, [], faces)
    mesh.polygons.foreach_set("use_smooth", [True] * len(faces))
    material = bpy.data.materials.new("Backdrop")
    shader = of_type(material.node_tree.nodes, "BSDF_PRINCIPLED")
    shader.inputs["Base Color"].default_value = (0.19, 0.195, 0.205, 1.0)
    shader.inputs["Roughness"].default_value = 0.7
    mesh.materials.append(material)
    return mesh


def of_type(nodes: Iterable[bpy.types.Node], kind: str) -> bpy.types.Node:
    """Names of nodes are translated; their types are not."""
    return next(node for node in nodes if node.type == kind)


def area_light(
    name: str,
    place: tuple[float, float, float],
    *,
    size: float,
    watts: float,
    colour: tuple[float, float, float],
) -> bpy.types.Object:
    data = bpy.data.lights.new(name, "AREA")
    data.size, data.energy, data.color = size, watts, colour
    return looking_at(bpy.data.objects.new(name, data), Vector(place), AIM)


def looking_at(thing: bpy.types.Object, place: Vector, aim: Vector) -> bpy.types.Object:
    thing.location = place
    thing.rotation_euler = (aim - place).to_track_quat("-Z", "Y").to_euler()
    return thing


def take_picture_from(scene: bpy.types.Scene) -> bpy.types.Object:
    data = bpy.data.cameras.new("Camera")
    data.lens = 60
    scene.camera = looking_at(bpy.data.objects.new("Camera", data), CAMERA, AIM)
    return scene.camera


def sky() -> bpy.types.World:
    """Dim warm ground to cool sky: something for metals and wet stone to mirror."""
    world = bpy.data.worlds.new("Sky")
    nodes, links = world.node_tree.nodes, world.node_tree.links
    place, split = nodes.new("ShaderNodeTexCoord"), nodes.new("ShaderNodeSeparateXYZ")
    ramp, background = nodes.new("ShaderNodeValToRGB"), of_type(nodes, "BACKGROUND")
    links.new(place.outputs["Generated"], split.inputs[0])
    links.new(split.outputs["Z"], ramp.inputs[0])
    links.new(ramp.outputs["Color"], background.inputs["Color"])
    ramp.color_ramp.elements[0].color = (0.12, 0.11, 0.10, 1.0)
    ramp.color_ramp.elements[1].color = (0.55, 0.62, 0.72, 1.0)
    background.inputs["Strength"].default_value = 0.6
    return world
