"""Start images and masks of every kind Blender has, as the files that the engine gets."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import bpy
import numpy as np
import pytest

from tests.addon.support import ROOT, draw, engine_python, write_png

RED = (180 / 255, 70 / 255, 50 / 255)  # of the base colour that `write_png` writes


@pytest.fixture
def start(blender):
    blender.inputs.prompt = "bricks"
    return bpy.context.scene.patina_start


@pytest.fixture
def settings(blender, start):
    return lambda: blender.package.properties.run_settings(blender.inputs)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "own.png"
    write_png(path, "basecolor")
    return path


def painted(name="painted", colour=(0.2, 0.4, 0.6), alpha=1.0, size=8, **kind):
    image = bpy.data.images.new(name, size, size, alpha=True, **kind)
    image.pixels.foreach_set(np.tile(np.float32((*colour, alpha)), size * size))
    image.update()
    return image


def shown(path):
    """The colour in the middle of a file, as Blender reads it."""
    image = bpy.data.images.load(str(path))
    pixels = np.array(image.pixels[:]).reshape(*reversed(image.size), image.channels)
    return tuple(pixels[len(pixels) // 2, 0, :3])


def test_nothing_is_said_of_images_where_none_is_chosen(settings):
    assert not {"image", "strength", "mask"} & set(settings())


def test_an_images_own_file_is_copied_as_it_is(start, settings, file, blender):
    start.source, start.image, start.strength = "IMAGE", bpy.data.images.load(str(file)), 0.3
    found = settings()
    copy = Path(found["image"])
    assert copy.read_bytes() == file.read_bytes()
    assert copy.is_absolute()
    assert copy.parent == blender.session.inputs_folder(blender.folder / "results")
    assert found["strength"] == 0.3
    assert settings()["image"] == found["image"]
    assert len(list(copy.parent.iterdir())) == 1


@pytest.mark.parametrize("kind", ["packed", "generated", "painted on", "float"])
def test_images_without_a_usable_file_get_one(start, settings, file, kind):
    expected = (0.2, 0.4, 0.6)
    if kind == "packed":
        image, expected = bpy.data.images.load(str(file)), RED
        image.pack()
        file.unlink()
    elif kind == "painted on":
        image = bpy.data.images.load(str(file))
        image.pixels.foreach_set(np.tile(np.float32((0.2, 0.4, 0.6, 1)), 16 * 16))
    elif kind == "generated":
        image = painted()
    else:
        linear = [((value + 0.055) / 1.055) ** 2.4 for value in expected]
        image = painted(colour=linear, float_buffer=True)
    start.source, start.image = "IMAGE", image
    before = set(bpy.data.images.keys())
    path = settings()["image"]
    assert set(bpy.data.images.keys()) == before
    assert shown(path) == pytest.approx(expected, abs=0.006)


def test_a_disk_without_room_is_said(start, monkeypatch):
    """Blender's own saving ends then as if all were well."""
    start.source, start.image = "IMAGE", painted()
    monkeypatch.setattr(Path, "read_bytes", lambda path: b"\x89PNG\r\n\x1a\n")
    bpy.context.scene.patina.prompt = "oak"
    with pytest.raises(RuntimeError, match=r"Cannot write .*: No space left on device"):
        bpy.ops.patina.generate()


def test_what_is_painted_later_is_another_file(start, settings):
    start.source, start.image = "IMAGE", painted()
    first = settings()["image"]
    start.image.pixels.foreach_set(np.ones(8 * 8 * 4, np.float32))
    assert settings()["image"] != first
    assert shown(first) == pytest.approx((0.2, 0.4, 0.6), abs=0.006)


def no_pixels(file):
    image = bpy.data.images.load(str(file))
    image.filepath = "/nowhere/gone.png"
    image.reload()
    return image


def of_kind(source):
    def make(file):
        image = bpy.data.images.load(str(file))
        image.source = source
        return image

    return make


REFUSED = {
    "movie": (of_kind("MOVIE"), "is a movie"),
    "sequence": (of_kind("SEQUENCE"), "is a sequence"),
    "tiles": (of_kind("TILED"), "UDIM"),
    "missing": (no_pixels, "no pixels"),
    "none": (lambda _: None, "Choose the image"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_begun_from_is_refused_with_a_button(start, file, kind, blender):
    make, words = REFUSED[kind]
    start.source, start.image = "IMAGE", make(file)
    assert not bpy.ops.patina.generate.poll()
    with pytest.raises(RuntimeError, match=words):
        bpy.ops.patina.generate()
    assert "Start Without an Image" in draw(bpy.types.PATINA_PT_main).texts()
    remedy = blender.package.remedies.refusal(
        blender.package.starting.check, bpy.context.scene, bpy.context.active_object
    ).remedy
    assert remedy.settings == {"data_path": "scene.patina_start.source", "value": "NONE"}
    start.source = remedy.settings["value"]
    assert bpy.ops.patina.generate.poll()


def test_a_mask_needs_an_image_to_keep(start, blender):
    start.mask_source = "IMAGE"
    assert "Use No Mask" in draw(bpy.types.PATINA_PT_main).texts()
    assert not bpy.ops.patina.generate.poll()


def test_from_the_active_objects_base_colour_through_other_nodes(start, settings, finished):
    cube = bpy.data.objects["Cube"]
    cube.select_set(True)
    bpy.ops.patina.apply()
    tree = cube.active_material.node_tree
    mine = tree.nodes.new("ShaderNodeHueSaturation")
    tree.links.new(tree.nodes["Patina basecolor"].outputs["Color"], mine.inputs["Color"])
    tree.links.new(mine.outputs["Color"], tree.nodes["Patina Principled"].inputs["Base Color"])
    start.source = "OBJECT"
    assert shown(settings()["image"]) == pytest.approx(RED, abs=0.006)


def test_an_object_without_an_image_is_refused(start):
    start.source = "OBJECT"
    with pytest.raises(RuntimeError, match="Cube has no material with an image"):
        bpy.ops.patina.generate()


def test_a_mask_is_white_where_the_picture_may_change(start, settings, file):
    start.source, start.image = "IMAGE", bpy.data.images.load(str(file))
    start.mask_source, start.mask = "IMAGE", painted("mask", (1, 1, 1))
    assert shown(settings()["mask"]) == (1, 1, 1)


@pytest.mark.parametrize(("inverted", "kept"), [(False, True), (True, False)])
def test_the_stencil_keeps_what_it_keeps_from_the_brush(start, settings, file, inverted, kept):
    """White in Blender's stencil is protected, unless it is inverted."""
    paint = bpy.context.scene.tool_settings.image_paint
    paint.stencil_image, paint.invert_stencil = painted("stencil", (1, 1, 1)), inverted
    start.source, start.image = "IMAGE", bpy.data.images.load(str(file))
    start.mask_source = "STENCIL"
    assert shown(settings()["mask"])[0] == (0 if kept else 1)


def test_a_transparent_stencil_protects_nothing(start, settings, file):
    paint = bpy.context.scene.tool_settings.image_paint
    paint.stencil_image = painted("stencil", (1, 1, 1), alpha=0.0)
    start.source, start.image, start.mask_source = "IMAGE", bpy.data.images.load(str(file)), "STENCIL"
    assert shown(settings()["mask"])[0] == 1


def test_no_stencil_is_said(start, file):
    start.source, start.image, start.mask_source = "IMAGE", bpy.data.images.load(str(file)), "STENCIL"
    with pytest.raises(RuntimeError, match="no stencil mask"):
        bpy.ops.patina.generate()


def test_the_engine_takes_and_reads_the_files(start, settings, file):
    start.source, start.image = "IMAGE", painted()
    start.mask_source, start.mask = "IMAGE", painted("mask", (1, 1, 1))
    code = (
        "import json, sys; from engine.params import resolve; from engine import sources\n"
        "s = resolve(json.load(sys.stdin))[0]; sources.check(s)\n"
        "print(json.dumps([sources.picture('image', s.image, (4, 4))[0, 0].tolist(),\n"
        "                  sources.grey('mask', s.mask, (4, 4))[0, 0].tolist()]))"
    )
    request = json.dumps({**settings(), "folder": str(ROOT)})
    done = subprocess.run(
        [engine_python(), "-c", code], input=request, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    picture, mask = json.loads(done.stdout)
    assert picture[:3] == pytest.approx((0.2, 0.4, 0.6), abs=0.006)
    assert mask == [1.0]


@pytest.mark.parametrize("source", ["NONE", "IMAGE", "OBJECT"])
@pytest.mark.parametrize("mask", ["NONE", "IMAGE", "STENCIL"])
def test_the_panel_draws_in_every_state(start, source, mask):
    start.source, start.mask_source = source, mask
    assert {"source", "strength", "mask_source"} <= set(draw(bpy.types.PATINA_PT_start).properties())
    assert draw(bpy.types.PATINA_PT_main).calls


def draw_tiled(blender, result):
    """What the panel draws once the pump has made the icon."""
    images = blender.package.images
    draw(bpy.types.PATINA_PT_tiled)
    blender.until(lambda: images.tiled() == result.key, 5)
    return draw(bpy.types.PATINA_PT_tiled)


def test_the_tiled_preview_is_not_made_in_the_turn_that_draws_it(finished):
    """Blender would decode the file there and then, for longer than a frame."""
    images = finished.package.images
    draw(bpy.types.PATINA_PT_tiled)
    assert images.tiled() == ""


def test_the_tiled_preview_shows_the_chosen_result_four_times(finished):
    images = finished.package.images
    drawn = draw_tiled(finished, finished.session.chosen)
    single = images._collection[finished.session.chosen.key]
    tiled = images._collection["tiled"]
    width, height = single.image_size
    assert tuple(tiled.image_size) == (2 * width, 2 * height)
    once = np.array(single.image_pixels[:]).reshape(height, width)
    assert (np.array(tiled.image_pixels[:]).reshape(2 * height, 2 * width) == np.tile(once, (2, 2))).all()
    icon = [given["icon_value"] for _, given in drawn.calls]
    assert icon == [images.tiled_icon()]


def test_the_tiled_preview_of_a_file_that_was_deleted_is_empty_and_ends_no_run(finished):
    finished.session.chosen.files["basecolor"].unlink()
    draw_tiled(finished, finished.session.chosen)
    assert not any(finished.package.images._collection["tiled"].image_pixels)
    assert not finished.state.message


def test_the_tiled_preview_follows_the_choice(finished):
    images = finished.package.images
    draw_tiled(finished, finished.session.chosen)
    icon, first = images.tiled_icon(), images.tiled()
    bpy.ops.patina.select(index=1)
    draw_tiled(finished, finished.session.chosen)
    assert images.tiled() != first
    assert images.tiled_icon() == icon


# --- A file, such as one of the library ------------------------------------------------------------


def test_one_place_says_what_the_next_run_begins_from(start, settings, file, blender):
    """What was chosen last holds; nothing that was chosen before is sent with it."""
    start.source, start.image, blender.inputs.start = "IMAGE", painted(), "noise"
    bpy.context.scene.patina_sources.pictures.add().path = str(file)
    blender.package.starting.use(bpy.context.scene, str(file))
    found = settings()
    assert (found["image"], found["start"]) == (str(file), "auto")
    assert [item["path"] for item in found["pictures"]] == [str(file)]
    layout = draw(bpy.types.PATINA_PT_main)
    assert "From own.png" in layout.texts()
    assert any(text.startswith("Near to ") for text in layout.texts())
    assert bpy.ops.patina.source_clear() == {"FINISHED"}
    assert not {"image", "strength", "mask"} & set(settings())
    assert settings()["start"] == "noise"
    assert not any(text.startswith("From ") for text in draw(bpy.types.PATINA_PT_main).texts())
    assert bpy.ops.patina.source_clear(index=0) == {"FINISHED"}
    assert "patina.source_clear" not in draw(bpy.types.PATINA_PT_main).operators()


def test_clearing_the_start_takes_its_mask_along(start, file):
    start.source, start.image = "IMAGE", bpy.data.images.load(str(file))
    start.mask_source, start.mask = "IMAGE", painted()
    assert "Within a mask, from own.png" in draw(bpy.types.PATINA_PT_main).texts()
    bpy.ops.patina.source_clear()
    assert bpy.ops.patina.generate.poll()


@pytest.mark.parametrize(
    ("path", "reason"), [("", "Choose the file"), ("/nowhere/oak.json", "oak.json .*is gone")]
)
def test_a_file_that_is_not_there_is_said(start, path, reason):
    start.source, start.path = "FILE", path
    with pytest.raises(RuntimeError, match=reason):
        bpy.ops.patina.generate()
    assert "Start Without an Image" in draw(bpy.types.PATINA_PT_main).texts()


def test_reuse_begins_as_the_result_did(start, settings, file, blender):
    blender.package.starting.use(bpy.context.scene, str(file))
    start.strength = 0.25
    item = bpy.context.scene.patina_sources.pictures.add()
    item.path, item.weight, item.aligned = str(file), -0.5, True
    made = settings()
    start.source = "NONE"
    bpy.context.scene.patina_sources.pictures.clear()
    assert blender.package.reuse.take(blender.inputs, made) == []
    assert settings() == made
    plain = {name: value for name, value in made.items() if name not in {"image", "strength", "pictures"}}
    assert blender.package.reuse.take(blender.inputs, plain) == []
    assert not {"image", "pictures"} & set(settings())


def test_saving_a_preset_leaves_the_start_out(start, file, blender):
    blender.package.starting.use(bpy.context.scene, str(file))
    assert bpy.ops.patina.save_preset(label="Mine") == {"FINISHED"}
    assert blender.package.presets.load_all()["my_mine"].settings == {}
