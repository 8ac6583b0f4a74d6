"""Every operator, panel and menu in every situation that an artist can bring about: nothing may raise."""

from __future__ import annotations

import inspect
import shlex
import sys
import textwrap
from contextlib import contextmanager

import bpy
import pytest

from tests.addon import sentences
from tests.addon.link.fake import TALK
from tests.addon.support import Layout, draw

OPTIONS = ({"REGISTER"}, {"REGISTER", "UNDO"}, {"INTERNAL"}, {"REGISTER", "INTERNAL"})
OPTIONS += ({"REGISTER", "UNDO", "INTERNAL"},)
COPIES = {  # groups that the add-on fills for panels to read from; nobody sets or sees their properties
    *("PatinaState", "PatinaResult", "PatinaSetup", "PatinaPack", "PatinaPacks", "PatinaSaving"),
}
ENGINES = {  # state → what the process does, or the error that there is instead of one
    "missing": "There is no engine.",
    "stopped": None,
    "starting": "time.sleep(60)",
    "ready": """
        for method, id, params in requests():
            greet(id)
            ready()
    """,
    "busy": """
        for method, id, params in requests():
            if method == "initialize":
                greet(id)
                ready()
    """,
    "failed": "sys.exit(3)",
}
MESH_MODES = ("OBJECT", "EDIT", "SCULPT", "VERTEX_PAINT", "WEIGHT_PAINT", "TEXTURE_PAINT")


def module(name):
    return sys.modules[f"patina.{name}"]


def registered(kind):
    return [cls for cls in sentences.classes() if issubclass(cls, kind)]


# --- What artists have in their scenes ------------------------------------------------------------


def nothing():
    for item in list(bpy.data.objects):
        bpy.data.objects.remove(item)


def cube():
    nothing()
    bpy.ops.mesh.primitive_cube_add()


def hidden():
    cube()
    bpy.context.active_object.hide_set(True)


def unselected():
    cube()
    bpy.ops.object.select_all(action="DESELECT")


def without_uv():
    cube()
    mesh = bpy.context.active_object.data
    mesh.uv_layers.remove(mesh.uv_layers[0])


def empty():
    nothing()
    bpy.ops.object.empty_add()


def light():
    nothing()
    bpy.ops.object.light_add()


def curve():
    nothing()
    bpy.ops.curve.primitive_bezier_circle_add()


def curve_edited():
    curve()
    bpy.ops.object.mode_set(mode="EDIT")


def posed():
    nothing()
    bpy.ops.object.armature_add()
    bpy.ops.object.mode_set(mode="POSE")


def in_mode(mode):
    def enter():
        cube()
        bpy.ops.object.mode_set(mode=mode)

    return enter


SCENES = {
    "nothing": nothing,
    "hidden": hidden,
    "unselected": unselected,
    "without UV": without_uv,
    "empty": empty,
    "light": light,
    "curve": curve,
    "curve edited": curve_edited,
    "posed": posed,
    **{f"cube in {mode}": in_mode(mode) for mode in MESH_MODES},
}


@contextmanager
def scene(name):
    SCENES[name]()
    yield
    if bpy.context.object is not None and bpy.context.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")


# --- What the engine is doing ---------------------------------------------------------------------


@pytest.fixture(params=[*ENGINES, "installing"])
def situation(request, blender, tmp_path, monkeypatch):
    """The add-on with a process in that state, before and after there were results."""
    state, session = request.param, blender.session
    if state == "installing":
        shown = bpy.context.window_manager.patina_setup
        shown.state, shown.running, shown.progress, shown.text = "missing", True, 0.4, "Installing packages"
        return blender
    preferences = bpy.context.preferences.addons["patina"].preferences
    if state == "missing":
        monkeypatch.setenv("PATINA_ENGINE_PYTHON", str(tmp_path / "no python"))
    elif ENGINES[state]:
        script = tmp_path / "engine.py"
        script.write_text(TALK + textwrap.dedent(ENGINES[state]))
        preferences.engine_command = f"{shlex.quote(sys.executable)} {shlex.quote(str(script))}"
    if state == "busy":
        session.generate({"prompt": "bricks", "variations": 2}, "cpu", tmp_path / "results")
    elif state != "stopped":
        try:
            session.engine.start()
        except module("link").EngineError as error:
            session.error = error
    if state != "stopped":
        module("pump").wake()
        blender.until(lambda: session.engine.state.value == state, 20)
    module("pump").mirror()
    assert blender.state.state == state
    return blender


@pytest.fixture(params=[False, True], ids=["no results", "results"])
def with_results(request, situation):
    if request.param:
        situation.finish_run(variations=3)
    return situation


@pytest.mark.usefixtures("with_results")
def test_every_poll_answers_in_every_situation():
    asked = set()
    for name in SCENES:
        with scene(name):
            for cls in registered((bpy.types.Operator, bpy.types.Panel, bpy.types.Menu)):
                if "poll" not in dir(cls):
                    continue
                answer = cls.poll(bpy.context)
                assert isinstance(answer, bool), (cls.__name__, name, answer)
                asked.add(cls.__name__)
                if issubclass(cls, bpy.types.Operator):  # as Blender asks: it would swallow an error
                    operator = getattr(bpy.ops.patina, cls.bl_idname.partition(".")[2])
                    assert operator.poll() == answer, (cls.__name__, name)
    assert len(asked) > 40


@pytest.fixture
def reasons(blender, monkeypatch):
    """What polls have said of why they refuse, whichever class said it: Blender keeps one for all, too."""
    said = []
    for cls in registered(bpy.types.Operator):
        record = staticmethod(lambda text, *_: said.append(text))
        monkeypatch.setattr(cls, "poll_message_set", record, raising=False)
    return said


@pytest.mark.usefixtures("with_results")
def test_every_grey_button_says_why(reasons):
    greyed = set()
    for name in SCENES:
        with scene(name):
            for cls in registered(bpy.types.Operator):
                reasons.clear()
                if "poll" in dir(cls) and not cls.poll(bpy.context):
                    assert len(reasons) == 1, f"{cls.__name__} is grey without words, {name}"
                    assert reasons[0] and not reasons[0].endswith("."), cls.__name__  # Blender adds the stop
                    greyed.add(cls.bl_idname)
    assert len(greyed) > 10


def test_a_poll_without_words_would_be_found(reasons, monkeypatch):
    cls = bpy.types.PATINA_OT_cancel
    assert not cls.poll(bpy.context)
    assert reasons == ["Nothing is running"]
    reasons.clear()
    monkeypatch.setattr(cls, "poll", classmethod(lambda cls, context: False))
    assert not cls.poll(bpy.context)
    assert not reasons


@pytest.mark.usefixtures("with_results")
def test_every_panel_and_menu_draws_in_every_situation():
    drawn = set()
    for name in SCENES:
        with scene(name):
            for cls in registered((bpy.types.Panel, bpy.types.Menu)):
                if not hasattr(cls, "poll") or cls.poll(bpy.context):
                    layout = draw(cls)
                    assert_in_order(layout, f"{cls.__name__}, {name}")
                    drawn.add(cls.__name__)
    assert {"PATINA_PT_main", "PATINA_PT_gallery", "PATINA_MT_presets", "PATINA_MT_prompts"} <= drawn


def assert_in_order(layout, where):
    """Buttons without words explain themselves; fields have a name; no text shows what was not there."""
    for function, given in layout.calls:
        if not isinstance(given, dict):
            continue
        if not given.get("text") and function in EXPLAINED:
            assert EXPLAINED[function](given), f"{where}: a {function} without words and tooltip: {given}"
        if function == "prop" and given["data"].bl_rna.identifier.startswith("Patina"):
            rna = given["data"].bl_rna
            assert rna.identifier not in COPIES, f"{where}: {given['property']} is only a copy"
            assert rna.properties[given["property"]].description, f"{where}: {given['property']}"
    for text in layout.texts():
        assert "None" not in text and "{" not in text, f"{where}: {text}"


def _operator_says(given):
    module_name, name = given["operator"].split(".")
    return getattr(getattr(bpy.ops, module_name), name).get_rna_type().description


EXPLAINED = {
    "operator": _operator_says,
    "prop": lambda given: given["data"].bl_rna.properties[given["property"]].description,
    "menu": lambda given: getattr(bpy.types, given["menu"]).bl_description,
    "popover": lambda given: getattr(bpy.types, given["panel"]).bl_description,
}


def test_the_checks_of_a_layout_can_fail(blender):
    for draw_wrong in (
        lambda layout: layout.prop(blender.state, "message", text="x"),
        lambda layout: layout.label(text="Step {step}"),
        lambda layout: layout.prop(blender.state, "message", text="", icon="X"),
    ):
        layout = Layout()
        draw_wrong(layout)
        with pytest.raises(AssertionError):
            assert_in_order(layout, "here")


# --- What every class has to say ------------------------------------------------------------------


@pytest.mark.usefixtures("blender")
def test_every_class_of_the_package_is_registered():
    kinds = (bpy.types.Operator, bpy.types.Panel, bpy.types.Menu, bpy.types.UIList, bpy.types.PropertyGroup)
    found = 0
    for name, code in list(sys.modules.items()):
        if name.partition(".")[0] != "patina" or code is None:
            continue
        for cls in vars(code).values():
            if inspect.isclass(cls) and issubclass(cls, kinds) and cls.__module__ == name:
                assert cls.is_registered, f"{name}.{cls.__name__}"
                found += 1
    assert found > 90


@pytest.mark.usefixtures("blender")
def test_every_operator_is_named_explained_and_undone_rightly():
    operators = registered(bpy.types.Operator)
    assert len(operators) > 50
    for cls in operators:
        name = cls.bl_idname.partition(".")[2]
        assert cls.__name__ == f"PATINA_OT_{name}"
        rna = getattr(bpy.ops.patina, name).get_rna_type()
        assert rna.name and rna.description, name
        assert rna.name[0].isupper() and not rna.description.endswith("."), name
        assert cls.bl_options in OPTIONS, (name, cls.bl_options)
        assert hasattr(cls, "execute"), name


@pytest.mark.usefixtures("blender")
def test_every_panel_and_menu_has_a_place_and_a_name():
    for cls in registered((bpy.types.Panel, bpy.types.Menu)):
        assert cls.bl_label and cls.bl_idname == cls.__name__
        if issubclass(cls, bpy.types.Panel) and cls.bl_region_type == "UI":
            assert cls.bl_category == "Patina", cls.__name__
            assert not getattr(cls, "bl_parent_id", "") or hasattr(bpy.types, cls.bl_parent_id)


@pytest.mark.usefixtures("blender")
def test_every_property_has_a_name_and_a_description():
    seen = 0
    for cls in sentences.classes():
        for item in sentences.properties_of(cls) if cls.__name__ not in COPIES else ():
            where = f"{cls.__name__}.{item.identifier}"
            made_up = item.name == item.identifier  # Blender's own doing where none was given
            assert item.name and not made_up, where
            assert item.description, where
            for choice in getattr(item, "enum_items", ()):
                assert choice.name, (where, choice.identifier)
            seen += 1
    assert seen > 120
