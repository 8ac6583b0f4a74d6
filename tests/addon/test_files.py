"""Where textures are, and materials as assets: real files, saved and opened again."""

from __future__ import annotations

import sys

import bpy
import pytest

from tests.addon.support import MAPS, draw

CATALOGS = "blender_assets.cats.txt"


@pytest.fixture
def applied(finished):
    """A material on the cube, from a result with tags."""
    tag = sys.modules["patina.session"].Tag
    for result in finished.session.results:
        object.__setattr__(result, "tags", (tag("material", "brick wall"), tag("colour", "red")))
        object.__setattr__(result, "preset", "stone")
    bpy.data.objects["Cube"].select_set(True)
    assert bpy.ops.patina.apply() == {"FINISHED"}
    return bpy.context.active_object.active_material


@pytest.fixture
def unrendered(finished):
    """For tests of something else than thumbnails: rendering one takes three seconds."""
    bpy.context.scene.patina_files.thumbnail = "PICTURE"


@pytest.fixture
def saved(blender, tmp_path):
    """A file that has a place before anything is applied."""
    folder = tmp_path / "project"
    folder.mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "scene.blend"))
    return folder


@pytest.fixture
def library(tmp_path):
    """An asset library of the artist's."""
    folder = tmp_path / "library"
    folder.mkdir()
    bpy.ops.preferences.asset_library_add(directory=str(folder))
    yield folder
    libraries = bpy.context.preferences.filepaths.asset_libraries
    while len(libraries):
        bpy.ops.preferences.asset_library_remove(index=0)


def textures():
    """The images of the cube's material, by map."""
    nodes = bpy.data.objects["Cube"].active_material.node_tree.nodes
    return {node.name.removeprefix("Patina "): node.image for node in nodes if node.type == "TEX_IMAGE"}


def open_again():
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)


def readable():
    """Whether every texture has its pixels."""
    return all(image.size[0] == 16 and len(image.pixels) for image in textures().values())


@pytest.mark.usefixtures("saved", "applied")
def test_paths_are_relative_to_a_saved_file_and_found_again():
    assert all(image.filepath.startswith("//") for image in textures().values())
    open_again()
    assert all(image.filepath.startswith("//") for image in textures().values())
    assert readable()


@pytest.mark.usefixtures("applied")
def test_the_first_save_makes_paths_relative(tmp_path):
    assert not any(image.filepath.startswith("//") for image in textures().values())
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "later.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "later.blend"))
    assert all(image.filepath.startswith("//") for image in textures().values())
    assert readable()


def forget(finished):
    """Take away every file of the run."""
    for result in finished.session.results:
        for path in result.files.values():
            path.unlink()


@pytest.mark.usefixtures("saved", "applied")
def test_a_packed_file_needs_no_other(finished):
    assert bpy.ops.patina.pack_textures() == {"FINISHED"}
    forget(finished)
    open_again()
    assert readable()
    assert all(image.packed_file for image in textures().values())


@pytest.mark.usefixtures("saved", "applied")
def test_packing_is_one_undo_step():
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.patina.pack_textures()
    bpy.ops.ed.undo_push(message="pack")
    bpy.ops.ed.undo()
    assert not any(image.packed_file for image in textures().values())
    assert readable()


@pytest.mark.usefixtures("applied")
@pytest.mark.parametrize("packed", [False, True])
def test_copies_beside_the_file_are_found_when_both_move(finished, saved, tmp_path, packed):
    if packed:
        bpy.ops.patina.pack_textures()
    assert bpy.ops.patina.copy_textures() == {"FINISHED"}
    assert {path.name for path in (saved / "textures").iterdir()} == {
        f"bricks_v1_{name}.png" for name in MAPS
    }
    forget(finished)
    bpy.ops.wm.save_mainfile()
    moved = saved.rename(tmp_path / "moved")
    bpy.ops.wm.open_mainfile(filepath=str(moved / "scene.blend"))
    assert not any(image.packed_file for image in textures().values())
    assert {image.filepath for image in textures().values()} == {
        f"//textures/bricks_v1_{name}.png" for name in MAPS
    }
    assert readable()


def paint(image):
    image.pixels.foreach_set([0.25] * len(image.pixels))
    image.update()
    assert image.is_dirty


def shows_paint(image):
    return image.pixels[0] == pytest.approx(0.25, abs=0.01)


@pytest.mark.usefixtures("saved", "applied")
@pytest.mark.parametrize("operator", ["pack_textures", "copy_textures"])
def test_what_was_painted_on_a_texture_goes_along(operator):
    paint(textures()["basecolor"])
    assert getattr(bpy.ops.patina, operator)() == {"FINISHED"}
    assert shows_paint(textures()["basecolor"])
    open_again()
    assert shows_paint(textures()["basecolor"])


@pytest.mark.usefixtures("applied")
def test_applying_again_keeps_what_was_painted(tmp_path):
    path = textures()["basecolor"].filepath
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    image = textures()["basecolor"]
    image.filepath_raw = path  # as Make Paths Absolute leaves it
    paint(image)
    bpy.ops.patina.apply()
    assert shows_paint(textures()["basecolor"])
    assert textures()["basecolor"].filepath.startswith("//")


@pytest.mark.usefixtures("applied")
@pytest.mark.parametrize("operator", ["pack_textures", "copy_textures"])
def test_an_image_made_in_blender_goes_along(saved, operator):
    node = bpy.data.objects["Cube"].active_material.node_tree.nodes["Patina basecolor"]
    bpy.data.objects["Cube"].active_material.node_tree.nodes["Patina ao"].image = bpy.data.images.new(
        "Blank", 16, 16
    )
    node.image = bpy.data.images.new("Painted / mine", 16, 16)
    paint(node.image)
    assert getattr(bpy.ops.patina, operator)() == {"FINISHED"}
    open_again()
    assert shows_paint(textures()["basecolor"])
    assert (operator == "pack_textures") != (saved / "textures" / "Painted___mine.png").is_file()


@pytest.mark.usefixtures("applied")
def test_a_copy_never_overwrites_another_texture(saved):
    (saved / "textures").mkdir()
    (saved / "textures" / "bricks_v1_ao.png").write_bytes(b"the artist's own")
    bpy.ops.patina.copy_textures()
    assert (saved / "textures" / "bricks_v1_ao.png").read_bytes() == b"the artist's own"
    assert textures()["ao"].filepath == "//textures/bricks_v1_ao_1.png"
    bpy.ops.patina.copy_textures()
    assert len(list((saved / "textures").iterdir())) == len(MAPS) + 1


@pytest.mark.usefixtures("saved", "applied")
def test_copying_is_one_undo_step():
    before = {name: image.filepath for name, image in textures().items()}
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.patina.copy_textures()
    bpy.ops.ed.undo_push(message="copy")
    bpy.ops.ed.undo()
    assert {name: image.filepath for name, image in textures().items()} == before


@pytest.mark.usefixtures("saved", "applied")
@pytest.mark.parametrize("operator", ["pack_textures", "copy_textures"])
def test_a_lost_texture_is_named_and_nothing_is_changed(finished, operator):
    finished.session.chosen.files["height"].unlink()
    with pytest.raises(RuntimeError, match="bricks_v1_height"):
        getattr(bpy.ops.patina, operator)()
    assert not any(image.packed_file for image in textures().values())


@pytest.mark.usefixtures("saved", "applied")
def test_a_material_whose_texture_is_lost_becomes_no_asset(finished):
    finished.session.chosen.files["height"].unlink()
    with pytest.raises(RuntimeError, match=r"bricks_v1_height\.png is missing"):
        bpy.ops.patina.mark_asset()
    assert bpy.context.active_object.active_material.asset_data is None


@pytest.mark.usefixtures("saved")
def test_a_material_whose_images_were_removed_becomes_an_asset_all_the_same(applied):
    for image in tuple(bpy.data.images):
        bpy.data.images.remove(image)
    bpy.context.scene.patina_files.thumbnail = "PICTURE"
    assert bpy.ops.patina.mark_asset() == {"FINISHED"}
    assert applied.asset_data is not None


@pytest.mark.usefixtures("applied")
@pytest.mark.parametrize("operator", ["copy_textures", "mark_asset"])
def test_an_unsaved_file_is_asked_to_be_saved(operator):
    with pytest.raises(RuntimeError, match="Save the file first"):
        getattr(bpy.ops.patina, operator)()
    assert "Save the File" in draw(bpy.types.PATINA_PT_files).texts()


def test_a_marked_material_is_a_full_asset_after_reloading(saved, applied):
    (saved / CATALOGS).write_text("VERSION 1\n6f4c1d2e-0000-4000-8000-000000000001:Props:Props\n")
    files = bpy.context.scene.patina_files
    files.author, files.licence, files.thumbnail = "Ada", "CC0", "PICTURE"
    assert bpy.ops.patina.mark_asset() == {"FINISHED"}
    open_again()
    material = bpy.data.objects["Cube"].active_material
    data = material.asset_data
    assert (data.author, data.description, data.license) == ("Ada", "red bricks", "CC0")
    assert {tag.name for tag in data.tags} == {"Patina", "brick wall", "red"}
    lines = (saved / CATALOGS).read_text().splitlines()
    assert lines[1] == "6f4c1d2e-0000-4000-8000-000000000001:Props:Props"
    assert lines[2] == f"{data.catalog_id}:Patina/Stone:Patina-Stone"
    assert colour(material)[:3] == pytest.approx((180, 70, 50), abs=2)


def colour(material, x=0.5, y=0.5):
    """Red, green, blue and alpha of a thumbnail; x and y from the lower left, 0..1."""
    preview = material.preview
    width, height = preview.image_size
    value = preview.image_pixels[int(y * (height - 1)) * width + int(x * (width - 1))]
    return tuple(value.to_bytes(4, "little", signed=True))


def check_lit_ball(material):
    """See that a thumbnail shows red bricks on a ball that is lit from one side, with nothing around it."""
    assert max(material.preview.image_size) == 256
    for x, y in ((0, 0), (0, 1), (1, 0), (1, 1)):
        assert colour(material, x, y)[3] == 0, "the ball does not reach the corners"
    red, green, blue, alpha = colour(material)
    assert alpha == 255
    assert red > 1.3 * max(green, blue), "the material's own colour is to be seen"
    assert (red, green, blue) != pytest.approx((180, 70, 50), abs=2), "it is not lit"
    assert sum(colour(material, 0.3, 0.7)[:3]) > 1.5 * sum(colour(material, 0.75, 0.2)[:3])


@pytest.mark.usefixtures("saved")
def test_a_blender_without_a_window_renders_the_thumbnail_too(applied):
    scenes, images = set(bpy.data.scenes), set(bpy.data.images)
    objects = set(bpy.data.objects)
    assert bpy.context.scene.patina_files.thumbnail == "RENDER"
    bpy.ops.patina.mark_asset()
    check_lit_ball(applied)
    assert (set(bpy.data.scenes), set(bpy.data.images), set(bpy.data.objects)) == (scenes, images, objects)


@pytest.mark.usefixtures("saved")
@pytest.mark.parametrize(("mapping", "displacement"), [("BOX", "BUMP"), ("UV", "REAL")])
def test_every_kind_of_material_is_a_ball_in_its_thumbnail(finished, mapping, displacement):
    finished.inputs.mapping, finished.inputs.displacement = mapping, displacement
    finished.inputs.tile_size = 0.05
    bpy.data.objects["Cube"].select_set(True)
    bpy.ops.patina.apply()
    bpy.ops.patina.mark_asset()
    check_lit_ball(bpy.context.active_object.active_material)


@pytest.mark.usefixtures("unrendered")
def test_the_catalogue_is_the_librarys_where_the_file_is_in_one(library, finished):
    (library / "sub").mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(library / "sub" / "scene.blend"))
    bpy.data.objects["Cube"].select_set(True)
    bpy.ops.patina.apply()
    bpy.ops.patina.mark_asset()
    assert (library / CATALOGS).is_file()
    assert not (library / "sub" / CATALOGS).exists()


@pytest.mark.usefixtures("saved", "unrendered")
def test_without_a_preset_the_engines_tag_names_the_catalogue(finished, applied):
    applied["patina_preset"] = "plain"
    bpy.ops.patina.mark_asset()
    assert finished.package.assets.group(applied) == "Brick Wall"
    applied["patina_tags"] = ""
    assert finished.package.assets.group(applied) == "Other"


@pytest.mark.usefixtures("saved", "applied")
def test_marking_is_one_undo_step():
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.patina.mark_asset()
    bpy.ops.ed.undo_push(message="mark")
    bpy.ops.ed.undo()
    assert bpy.data.objects["Cube"].active_material.asset_data is None


def save_to_library(blender, **which):
    assert bpy.ops.patina.save_to_library(**which) == {"FINISHED"}
    state = bpy.context.window_manager.patina_saving
    assert state.busy
    assert not bpy.ops.patina.save_to_library.poll()
    assert "patina.stop_saving" in draw(bpy.types.PATINA_PT_files).operators()
    blender.until(lambda: not state.busy, 120)
    return state


@pytest.mark.usefixtures("applied")
@pytest.mark.parametrize("thumbnail", ["RENDER", "PICTURE"])
def test_all_results_are_saved_to_a_library_by_another_blender(finished, library, thumbnail):
    files = bpy.context.scene.patina_files
    files.author, files.thumbnail = "Ada", thumbnail
    before = set(bpy.data.materials.keys())
    state = save_to_library(finished, which="ALL")
    assert state.status.startswith("2 saved"), state.status
    assert not state.failed
    assert set(bpy.data.materials.keys()) == before
    forget(finished)  # what is saved stands alone
    blends = sorted(library.rglob("*.blend"))
    assert len(blends) == 2
    for rank, blend in enumerate(sorted(blends), start=1):
        bpy.ops.wm.open_mainfile(filepath=str(blend))
        material = next(item for item in bpy.data.materials if item.asset_data)
        assert material.name == f"Red bricks {rank}"
        data = material.asset_data
        assert (data.author, data.description) == ("Ada", "red bricks")
        assert f"{data.catalog_id}:Patina/Stone" in (library / CATALOGS).read_text()
        images = [node.image for node in material.node_tree.nodes if node.type == "TEX_IMAGE"]
        assert {image.filepath for image in images} == {
            f"//textures/bricks_v{rank}_{name}.png" for name in MAPS
        }
        assert all(image.size[0] == 16 for image in images)
        if thumbnail == "PICTURE":
            assert colour(material)[:3] == pytest.approx((180, 70, 50), abs=2)
        else:
            check_lit_ball(material)
        assert len(bpy.data.materials) == 1
        assert not bpy.data.objects


@pytest.mark.usefixtures("applied", "unrendered")
def test_a_result_that_is_gone_is_said_and_the_others_are_saved(finished, library):
    finished.session.results[0].files["ao"].unlink()
    state = save_to_library(finished, which="ALL")
    assert state.failed
    assert "1 of 2 saved" in state.status
    assert "bricks_v1_ao.png" in state.status
    assert len(list(library.rglob("*.blend"))) == 1
    assert state.status in " ".join(draw(bpy.types.PATINA_PT_files).texts())
    bpy.ops.patina.stop_saving()
    assert not state.status


@pytest.mark.usefixtures("applied", "library")
def test_a_blender_that_ends_early_is_said(finished, monkeypatch):
    monkeypatch.setattr(
        finished.package.compat,
        "background_command",
        lambda *_: [sys.executable, "-c", "import nothing_here"],
    )
    state = save_to_library(finished)
    assert state.failed
    assert "nothing_here" in state.status


@pytest.mark.usefixtures("applied")
def test_saving_can_be_stopped(finished, library):
    bpy.ops.patina.save_to_library()
    process = finished.package.saving.current._process
    bpy.ops.patina.stop_saving()
    assert process.returncode is not None
    assert not bpy.context.window_manager.patina_saving.busy
    finished.until(lambda: not finished.timers.queue, 10)


def test_without_a_library_there_is_a_button_to_add_one(finished):
    while len(bpy.context.preferences.filepaths.asset_libraries):
        bpy.ops.preferences.asset_library_remove(index=0)
    with pytest.raises(RuntimeError, match="no asset library"):
        bpy.ops.patina.save_to_library()
    assert "Add Asset Library" in draw(bpy.types.PATINA_PT_files).texts()


@pytest.mark.usefixtures("applied")
def test_a_librarys_folder_that_is_gone_is_said(library):
    library.rmdir()
    with pytest.raises(RuntimeError, match="is gone"):
        bpy.ops.patina.save_to_library()
    library.mkdir()
