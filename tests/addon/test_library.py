"""The library's panel and operators: what is drawn in every state, what is asked, what comes of answers."""

from __future__ import annotations

import sys
from pathlib import Path, PureWindowsPath

import bpy
import pytest

from tests.addon.support import draw, write_png

PANELS = ("PATINA_PT_library", "PATINA_PT_library_folders", "PATINA_PT_sources")


def module(name):
    return sys.modules[f"patina.{name}"]


class Desk:
    """Stands where the engine is: keeps what was asked, and answers when it is told to."""

    def __init__(self, library):
        self.asked, self.cancelled = [], []
        library._ask, library._cancel = self._ask, self.cancelled.append

    def _ask(self, method, params, take):
        self.asked.append((method, params, take))
        return len(self.asked)

    def answer(self, number=-1, **result):
        self.asked[number][2](module("link").Finished(1, result))

    def fail(self, message):
        self.asked[-1][2](module("link").Failed(1, module("link").EngineError(message)))

    def progress(self, step, total):
        self.asked[-1][2](module("link.events").Progress(1, "look", step, total, None, None))

    @property
    def last(self):
        return self.asked[-1][:2]


@pytest.fixture
def library(blender):
    return module("shelf").library


@pytest.fixture
def desk(library):
    return Desk(library)


@pytest.fixture
def texture(tmp_path):
    """Writes a texture's files and says of it what the engine would."""

    def texture(
        name="mossy_wall", roles=("basecolor",), score=None, tags=(("moss", 0.9), ("green", 0.4)), **more
    ):
        files = {}
        for role in roles:
            kind = {"normal": "normal_gl", "gloss": "roughness", "arm": "roughness", "bump": "roughness"}
            path = tmp_path / f"{name}_{role}.png"
            write_png(path, kind.get(role, "ao" if role == "alpha" else role))
            files[role] = str(path)
        entry = {
            "name": name, "files": files, "thumbnail": files["basecolor"], "directx": False, "width": 16,
            "height": 16, "tags": [{"facet": "x", "label": a, "confidence": b} for a, b in tags],
            "badges": {"seamless": True, "light": "lit", "lettering": "unknown", "object": "unknown"},
        }  # fmt: skip
        return {**entry, **({} if score is None else {"score": score}), **more}

    return texture


@pytest.fixture
def filled(blender, library, desk, texture):
    """A library of thirty textures, open."""
    entries = [texture(f"wall_{k}", score=1 - k / 100) for k in range(30)]
    bpy.ops.patina.library_open()
    desk.answer(results=entries, textures=30, folders=["/textures"], labels={"green": 12, "moss": 30})
    while module("shelf").turn():
        pass
    return library


def press(name, **properties):
    return getattr(bpy.ops.patina, name)(**properties)


def choose(library, number=0):
    press("library_choose", key=library.results[number].key)
    return library.chosen()


def panels():
    return [draw(getattr(bpy.types, name)) for name in PANELS]


# --- Panels ---------------------------------------------------------------------------------------


def test_a_closed_library_offers_to_open_it(blender):
    assert draw(bpy.types.PATINA_PT_library).operators() == ["patina.library_open", "patina.library_add"]


@pytest.mark.parametrize(
    "state", ["filled", "chosen", "made", "indexing", "mapping", "failed", "searching", "none"]
)
def test_the_panels_draw_in_every_state(filled, desk, state, texture):
    if state in ("chosen", "made"):
        found = choose(filled)
        if state == "made":
            filled.made[found.key] = {"height": found.main}
    elif state == "indexing":
        press("library_index")
        desk.progress(3, 10)
    elif state == "mapping":
        choose(filled)
        press("library_make_maps")
    elif state == "failed":
        press("library_open")
        desk.fail("The index is damaged. Delete it, and index again.")
    elif state == "searching":
        press("library_search")
    elif state == "none":
        press("library_open")
        desk.answer(results=[], textures=0, folders=[], labels={})
    module("shelf").turn()
    for layout in panels():
        assert layout.calls
        assert not [text for text in layout.texts() if "None" in text]


def test_a_page_has_twelve_and_turns(filled):
    assert len(filled.shown()) == 12
    layout = draw(bpy.types.PATINA_PT_library)
    assert layout.operators().count("patina.library_choose") == 12
    assert [text for text in layout.texts() if text.isdecimal()] == [f"{rank}" for rank in range(1, 13)]
    press("library_page", step=1)
    press("library_page", step=1)
    press("library_page", step=1)
    captions = [text for text in draw(bpy.types.PATINA_PT_library).texts() if text.isdecimal()]
    assert captions == [f"{rank}" for rank in range(25, 31)]
    assert [found.name for found in filled.shown()] == [f"wall_{k}" for k in range(24, 30)]
    press("library_page", step=-9)
    assert filled.page == 0


def loaded(library):
    """Textures that have an icon: without a window its number is 0, as is that of none."""
    icons = module("shelf")._icons
    return [
        found.key in icons and tuple(icons[found.key].image_size) == (16, 16) for found in library.results
    ]


def test_icons_of_the_page_are_loaded_and_no_others(filled):
    assert loaded(filled) == [True] * 12 + [False] * 18


def test_icons_take_no_longer_than_a_part_of_a_frame(filled, monkeypatch):
    """A slow disk: one icon a turn, and the pump comes back for the others."""
    press("library_page", step=1)
    monkeypatch.setattr(module("shelf"), "ICONS_S", 0.0)
    for turn in range(1, 12):
        assert module("shelf").turn()
        assert sum(loaded(filled)) == 12 + turn
    assert not module("shelf").turn()
    assert sum(loaded(filled)) == 24


def test_a_broken_or_missing_thumbnail_is_an_empty_icon(blender, library, desk, texture, tmp_path):
    broken = texture("broken", thumbnail=str(tmp_path / "broken.jpg"))
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    gone = texture("gone", thumbnail="/nowhere.jpg", files={"basecolor": "/nowhere.png"})
    press("library_open")
    desk.answer(results=[broken, gone], textures=2, folders=[], labels={})
    module("shelf").turn()
    assert not module("shelf").turn()  # it does not try for ever
    assert draw(bpy.types.PATINA_PT_library).calls


def test_the_tags_in_use_are_offered(filled):
    assert [item.name for item in bpy.context.window_manager.patina_library.labels] == ["green", "moss"]


# --- Questions and answers ------------------------------------------------------------------------


def test_a_search_asks_for_words_tag_and_seams(filled, desk):
    asked = bpy.context.window_manager.patina_library
    asked.text, asked.tag, asked.seamless = "  old bricks ", "moss", True
    press("library_search")
    method, params = desk.last
    assert method == "search"
    assert {
        "text": "old bricks",
        "tags": ["moss"],
        "seamless": True,
        "device": "auto",
    }.items() <= params.items()


def test_an_empty_search_shows_everything(filled, desk):
    press("library_search")
    assert desk.last[0] == "library"


def test_the_answer_to_an_earlier_search_changes_nothing(filled, desk, texture):
    asked = bpy.context.window_manager.patina_library
    for text in ("moss", "bricks"):
        asked.text = text
        press("library_search")
    desk.answer(-1, results=[texture("bricks")], textures=30)
    desk.answer(-2, results=[texture("moss")], textures=30)
    assert [found.name for found in filled.results] == ["bricks"]
    assert not filled.searching


def test_unknown_words_are_said(filled, desk, texture):
    bpy.context.window_manager.patina_library.text = "qwrtz"
    press("library_search")
    desk.answer(results=[], textures=30, unknown_words=["qwrtz"])
    assert any("qwrtz" in text for text in draw(bpy.types.PATINA_PT_library).texts())


def test_names_that_blender_cannot_hold_are_left_out_and_counted(filled, desk, texture):
    press("library_search")
    odd = {**texture(), "name": "gr\udcfcn", "files": {"basecolor": "/textures/gr\udcfcn.png"}}
    desk.answer(results=[odd, texture(name="oak")], textures=2, folders=["/textures/\udcfc"], labels={})
    assert [found.name for found in filled.results] == ["oak"]
    assert filled.notes == ["1 left out: Blender cannot read their files' names"]
    while module("shelf").turn():
        pass
    panels()


def test_more_like_this_asks_by_the_picture(filled, desk):
    found = choose(filled, 2)
    press("library_more_like")
    assert desk.last[1]["like"] == found.key


def test_duplicates_are_listed_by_set(filled, desk, texture):
    press("library_duplicates")
    assert desk.last == ("search", {"duplicates": True, "limit": 240, "device": "auto"})
    desk.answer(duplicates=[[texture("a"), texture("b")], [texture("c"), texture("d")]], textures=30)
    assert [text for text in draw(bpy.types.PATINA_PT_library).texts() if text.startswith("Set")] == [
        "Set 1", "Set 1", "Set 2", "Set 2",
    ]  # fmt: skip


def test_folders_are_added_and_removed_and_the_results_come_by_themselves(filled, desk, tmp_path):
    results = module("shelf").results_folder()
    results.mkdir(parents=True)
    press("library_add", directory=str(tmp_path))
    assert desk.last[1]["folders"] == [str(tmp_path), str(results)]
    desk.answer(textures=31, folders=["/textures", str(tmp_path)], labels={}, added=1, broken=[
        {"file": "/x.exr", "reason": "x.exr is an EXR file, which cannot be read here: convert it to PNG."}
    ])  # fmt: skip
    assert any("convert it to PNG" in text for text in filled.notes)
    module("shelf").turn()
    assert desk.last[0] == "library"  # what is new is shown at once
    press("library_remove", index=1)
    assert desk.last[1]["forget"] == [str(tmp_path)]
    assert not bpy.ops.patina.library_index.poll()
    press("library_cancel")
    assert desk.cancelled == [len(desk.asked)]


@pytest.mark.parametrize(
    ("folders", "names"),
    [
        (["/a/wood", "/b/stone"], ["wood", "stone"]),
        (["/a/wood", "/b/wood"], ["a/wood", "b/wood"]),
        (["/a/b/wood", "/c/b/wood", "/d/wood"], ["/a/b/wood", "/c/b/wood", "d/wood"]),
        (["/wood", "/a/wood"], ["/wood", "a/wood"]),
        (["/", "/Image"], ["/", "Image"]),
    ],
)
def test_folders_are_called_so_that_no_two_are_alike(filled, desk, folders, names):
    filled.folders = folders
    layout = draw(bpy.types.PATINA_PT_library_folders)
    labels = [given for name, given in layout.calls if name == "label"]
    assert [given["text"] for given in labels] == names
    assert not any(given["translate"] for given in labels), "Image is a word of Blender's too"


def test_a_disk_by_itself_is_called_by_its_letter():
    endings = module("panels.library")._endings
    assert endings(PureWindowsPath("D:\\")) == []
    assert endings(PureWindowsPath("D:\\wood")) == ["wood"]
    assert endings(PureWindowsPath("D:\\a\\wood")) == ["wood", "a/wood"]


def test_a_folder_that_is_not_there_is_refused(filled, desk):
    before = len(desk.asked)
    with pytest.raises(RuntimeError, match="no such folder"):
        press("library_add", directory="/nowhere/at/all")
    assert len(desk.asked) == before


@pytest.mark.parametrize(
    "entry",
    [{}, {"name": "x"}, {"name": "x", "files": [], "tags": [], "badges": {}}, {"name": "x", "files": 3}],
)
def test_an_answer_that_lacks_something_is_said_and_keeps_what_was_there(filled, desk, entry):
    press("library_open")
    desk.answer(results=[entry], textures=1)
    assert "lacks something" in filled.message
    assert len(filled.results) == 30


# --- Using what was found -------------------------------------------------------------------------

FULL = ("basecolor", "normal", "roughness", "metallic", "height", "ao")
SETS = {
    "picture": ("basecolor",),
    "full": FULL,
    "packed": ("basecolor", "arm", "normal"),
    "gloss": ("basecolor", "gloss", "bump"),
    "glowing": (*FULL, "emission", "alpha"),
}


@pytest.fixture
def use(blender, library, desk, texture):
    """A library of one texture, chosen."""

    def use(roles, **more):
        press("library_open")
        desk.answer(results=[texture(roles=roles, **more)], textures=1, folders=[], labels={})
        return choose(library)

    return use


def linked(material):
    """Inputs of the Principled BSDF and the output that something is linked to."""
    return {
        link.to_socket.name
        for link in material.node_tree.links
        if link.to_node.type in ("BSDF_PRINCIPLED", "OUTPUT_MATERIAL")
    }


@pytest.mark.parametrize("displacement", ["OFF", "BUMP", "REAL"])
@pytest.mark.parametrize("kind", SETS)
def test_whatever_maps_are_there_become_a_material(use, blender, kind, displacement):
    use(SETS[kind])
    blender.inputs.displacement = displacement
    assert press("library_apply") == {"FINISHED"}
    material = bpy.data.objects["Cube"].active_material
    sockets = linked(material)
    assert "Base Color" in sockets
    assert ("Roughness" in sockets) == (kind != "picture")
    assert ("Metallic" in sockets) == (kind in ("full", "packed", "glowing"))
    assert ("Alpha" in sockets) == (kind == "glowing")
    reliefs = {"Normal", "Displacement"} & sockets
    assert len(reliefs) == (0 if kind == "picture" else 1)
    for node in material.node_tree.nodes:
        if node.type == "TEX_IMAGE":
            colours = ("Base Color", module("compat").emission_socket())
            assert node.image.colorspace_settings.is_data == (node.label not in colours)


def test_a_relief_in_metres_is_what_a_texture_gets(use, blender):
    use(FULL)
    using = bpy.context.scene.patina_using
    blender.inputs.displacement, blender.inputs.tile_size = "REAL", 2.0
    deep = []
    for using.use_depth in (False, True):
        using.depth = 0.3
        press("library_apply")
        tree = bpy.data.objects["Cube"].active_material.node_tree
        deep += [node.inputs["Scale"].default_value for node in tree.nodes if node.type == "DISPLACEMENT"]
    assert deep == pytest.approx([0.02 * 2.0, 0.3])


def test_a_normal_map_of_directx_is_turned(use):
    use(("basecolor", "normal"), directx=True)
    press("library_apply")
    nodes = {node.type for node in bpy.data.objects["Cube"].active_material.node_tree.nodes}
    assert {"MATH", "NORMAL_MAP"} <= nodes


def test_applied_again_it_is_the_same_material(use):
    use(FULL)
    press("library_apply")
    first = bpy.data.objects["Cube"].active_material.name
    press("library_apply")
    assert bpy.data.objects["Cube"].active_material.name == first
    assert [m.get("patina_library") for m in bpy.data.materials].count(None) == len(bpy.data.materials) - 1


def test_a_linked_mesh_is_not_touched_but_its_object_gets_the_texture(use, tmp_path):
    path = tmp_path / "mesh.blend"
    bpy.data.libraries.write(str(path), {bpy.data.objects["Cube"].data})
    with bpy.data.libraries.load(str(path), link=True) as (_, linked):
        linked.meshes = ["Cube"]
    item = bpy.data.objects.new("Linked", linked.meshes[0])
    bpy.context.collection.objects.link(item)
    bpy.ops.object.select_all(action="DESELECT")
    item.select_set(True)
    bpy.context.view_layer.objects.active = item
    own = item.active_material
    use(("basecolor",))
    press("library_apply")
    assert item.active_material != own
    assert item.data.materials[0] == own


def test_estimated_maps_fill_what_is_missing(use, desk, library, tmp_path):
    found = use(("basecolor", "roughness"))
    assert found.lacking == ("normal", "metallic", "height")
    press("library_make_maps")
    method, params = desk.last
    assert (method, params["picture"]) == ("maps", found.key)
    assert Path(params["folder"]).is_relative_to(params["history"])
    made = {}
    for name in ("basecolor", "normal_gl", "roughness", "metallic", "height", "ao"):
        made[name] = f"made_{name}.png"
        write_png(tmp_path / made[name], name)
    desk.answer(folder=str(tmp_path), files=made)
    press("library_apply")
    material = bpy.data.objects["Cube"].active_material
    images = {n.label: Path(n.image.filepath).name for n in material.node_tree.nodes if n.type == "TEX_IMAGE"}
    assert images["Base Color"] == "mossy_wall_basecolor.png"
    assert images["Roughness"] == "mossy_wall_roughness.png"
    assert images["Normal"] == "made_normal_gl.png"


def test_a_file_that_is_gone_is_said_and_changes_nothing(use):
    use(("basecolor",)).main.unlink()
    before = bpy.data.objects["Cube"].active_material
    for name, more in (("library_apply", {}), ("library_mark_asset", {}), ("library_use", {"kind": "START"})):
        with pytest.raises(RuntimeError, match="is gone"):
            press(name, **more)
    assert bpy.data.objects["Cube"].active_material == before


def test_a_material_becomes_an_asset_with_its_tags(use):
    use(FULL)
    assert press("library_mark_asset") == {"FINISHED"}
    (asset,) = [material for material in bpy.data.materials if material.asset_data]
    assert [tag.name for tag in asset.asset_data.tags] == ["moss"]
    press("library_mark_asset")
    assert [tag.name for tag in asset.asset_data.tags] == ["moss"]


def test_a_texture_starts_the_next_run_and_is_a_picture_prompt(use, blender):
    found = use(("basecolor",))
    run_settings = module("properties").run_settings
    assert not {"image", "pictures"} & set(run_settings(blender.inputs))
    press("library_use", kind="START")
    press("library_use", kind="PICTURE")
    press("library_use", kind="PICTURE")  # once is enough
    settings = run_settings(blender.inputs)
    assert (settings["image"], settings["strength"], settings["start"]) == (found.key, 0.5, "auto")
    assert settings["pictures"] == [{"path": found.key, "weight": 1.0, "aligned": False}]
    press("source_clear", index=0)
    press("source_clear")
    assert not {"image", "pictures"} & set(run_settings(blender.inputs))


def test_a_result_of_patina_starts_with_all_its_maps(use, blender):
    found = use(("basecolor",))
    sidecar = found.main.with_name("mossy_wall.json")
    sidecar.write_text('{"relief": 0.11}')
    press("library_use", kind="START")
    assert module("properties").run_settings(blender.inputs)["image"] == str(sidecar)
    assert found.relief() == 0.11
    sidecar.write_text("[" * 100_000)
    assert found.relief() == 0.02


def test_nothing_chosen_leaves_the_buttons_grey(filled):
    for name in (
        "library_apply",
        "library_mark_asset",
        "library_use",
        "library_more_like",
        "library_make_maps",
    ):
        assert not getattr(bpy.ops.patina, name).poll()


def test_what_is_chosen_lasts_over_a_new_file(use):
    use(("basecolor",))
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    module("shelf").turn()
    assert bpy.ops.patina.library_apply.poll()
    for layout in panels():
        assert layout.calls


def test_the_end_of_the_engine_ends_everything(filled, desk):
    link = module("link")
    press("library_index")
    press("library_open")
    for _, _, take in desk.asked:
        take(link.Failed(None, link.EngineError("The engine crashed.")))
    assert not filled.busy
    assert filled.message == "The engine crashed."
