"""Whether everything that an artist reads is there in Spanish, and stays in one piece on its way."""

from __future__ import annotations

import importlib
import json
import string

import bpy
import pytest

from tests.addon import sentences
from tests.addon.support import Layout, draw

SPANISH = json.loads((sentences.ADDON / "translations" / "es.json").read_text("utf-8"))
SAME = 0.06  # of all sentences: names such as NVIDIA, and words that both languages share


@pytest.fixture
def spanish(blender):
    """The add-on in Spanish. The bpy module has no languages, so the file is looked up without it."""
    words = blender.package.words
    words.use(lambda text: SPANISH.get(text, text))
    yield blender
    words.use()


@pytest.mark.usefixtures("blender")
def test_every_sentence_has_a_translation():
    missing = {text: where for text, where in sentences.everything().items() if text not in SPANISH}
    assert not missing, "\n".join(f"{where}: {text!r}" for text, where in missing.items())


@pytest.mark.usefixtures("blender")
def test_no_translation_is_left_over():
    assert not set(SPANISH) - set(sentences.everything())


@pytest.mark.usefixtures("blender")
def test_the_collection_sees_every_kind_of_text():
    """Or the tests above would pass with nothing in hand."""
    everything = sentences.everything()
    for text in (
        "Generate",  # a button
        "Make variations of the surface that the prompt describes",  # its description
        "Both",  # an item of an enum
        "Install To",  # a preference
        "Start Image and Mask",  # a panel
        "Last Prompts",  # a menu
        "Describe a surface first",  # why a button is grey
        "Apply to Faces",  # the second of two texts
        "{count} textures packed",  # from a table
        "The disk is full. Free some space or choose another folder, then go on.",  # the installer's
        "Installing PyTorch",  # a step of it
        "Peeling Paint",  # a preset
    ):
        assert text in everything, text


def test_translations_are_sentences_of_their_own():
    same = [text for text, said in SPANISH.items() if text == said]
    assert len(same) < SAME * len(SPANISH), same
    assert all(said.strip() == said and said for said in SPANISH.values())
    for text, said in SPANISH.items():
        assert text.endswith((".", "…")) == said.endswith((".", "…")), text
    assert list(SPANISH) == sorted(SPANISH, key=str.casefold)


def placeholders(text: str) -> list:
    return sorted(item[1:] for item in string.Formatter().parse(text) if item[1] is not None)


def test_placeholders_agree():
    wrong = [text for text, said in SPANISH.items() if placeholders(text) != placeholders(said)]
    assert not wrong


def test_what_is_filled_in_is_what_a_sentence_asks_for():
    found = list(sentences.filled())
    assert len(found) > 100
    for where, text, names in found:
        wanted = {name for name, *_ in placeholders(text)} - {""}
        assert wanted <= names or not names, (where, text)


def test_no_sentence_is_put_together_before_it_is_looked_up():
    assert not list(sentences.put_together())


def test_a_text_put_together_would_be_found(tmp_path, monkeypatch):
    path = tmp_path / "panel.py"
    path.write_text('layout.label(text=f"Version {n}")\nreport({"INFO"}, "Saved " + name)\ntr(f"{a}: {b}")\n')
    monkeypatch.setattr(sentences, "CODE", [path])
    monkeypatch.setattr(sentences, "ROOT", tmp_path)
    assert [where for where, _ in sentences.put_together()] == ["panel.py:1", "panel.py:2"]


def test_presets_are_all_there():
    texts = sentences.of_presets()
    assert len(texts) > 60
    assert not set(texts) - set(SPANISH)


def test_disabling_leaves_no_words_behind(blender):
    """A window's test looks at what Blender keeps: the bpy module has no languages."""
    words = blender.package.words
    assert words._look_up is not words._as_it_is
    bpy.ops.preferences.addon_disable(module="patina")
    assert words._look_up is words._as_it_is


def test_blender_gets_every_sentence_for_labels_for_buttons_and_under_our_own_context(blender):
    table = blender.package.translations.tables()["es"]
    assert len(table) == 3 * len(SPANISH)
    assert table["*", "Generate"] == table["Operator", "Generate"] == table["Patina", "Generate"] == "Generar"


def test_a_word_that_blender_has_too_is_asked_for_under_our_own_context(blender):
    """Blender's Spanish for Engine is that for a render engine."""
    assert bpy.types.PATINA_PT_engine.bl_translation_context == blender.package.words.CONTEXT
    layout = Layout()
    importlib.import_module("patina.panels.preferences")._section(layout, "Engine")
    (label,) = [given for name, given in layout.calls if name == "label"]
    assert label["text_ctxt"] == blender.package.words.CONTEXT


def test_settings_are_named_under_our_own_context(blender):
    """Blender's Spanish for Steps is that for intervals."""
    layout = draw(bpy.types.PATINA_PT_settings)
    named = {
        given["property"]: (given["text"], given["text_ctxt"])
        for name, given in layout.calls
        if name == "prop" and given.get("text")
    }
    assert set(blender.package.properties.ADVANCED) <= set(named)
    assert named["steps"] == ("Steps", blender.package.words.CONTEXT)
    assert SPANISH["Steps"] == "Pasos"


def test_a_sentence_without_translation_comes_as_it_is(spanish):
    tr = spanish.package.words.tr
    assert tr("No such sentence") == "No such sentence"
    assert not tr("")
    assert tr("{count} objects", count=3) == "3 objetos"
    assert tr("The engine said {this}") == "The engine said {this}"  # no values: its braces are its own


def test_what_stands_in_the_way_is_said_in_spanish(spanish):
    remedies = spanish.package.remedies
    error = remedies.RefusedError("Go to Object Mode first")
    assert str(error) == "Primero hay que pasar a Modo Objeto"


def test_progress_is_said_in_spanish(spanish):
    from patina.link import Progress
    from patina.session import sentence

    progress = Progress(job=1, phase="guide", step=4, total=10, steps_per_second=1.0, seconds_left=3.0)
    assert sentence(progress) == "Paso 4 de 10, quedan 3 s"


def test_the_installer_is_translated_here(spanish):
    """It runs in another Python, and sends its sentences with what belongs into them."""
    installation = spanish.package.setup.installation
    values = {"step": "Installing packages", "program": "uv"}
    said = {"sentence": "{step}: {program} cannot be started.", "values": values, "message": "-"}
    installation._take({"event": "failed", **said})
    assert installation.failure.message == "Instalando paquetes: no se puede iniciar uv."
    installation._take({"event": "failed", "message": "The disk is full."})
    assert installation.failure.message == "The disk is full."


def test_wrapped_and_filled_texts_of_the_panel_are_spanish(spanish):
    spanish.inputs.preset = "peeling_paint"
    spanish.finish_run(variations=2)
    spanish.state.message = "The engine crashed."
    texts = " ".join(draw(bpy.types.PATINA_PT_main).texts())
    for words in ("El motor falló.", "Ajuste 0.90", SPANISH["Layers of paint that come off"]):
        assert words in texts, texts


def test_the_artists_own_words_are_never_translated(spanish):
    """A prompt "Wood" is what the artist wrote, and stays so."""
    spanish.package.prompts.add("Wood", "")
    layout = draw(bpy.types.PATINA_MT_prompts)
    drawn = [given for name, given in layout.calls if name == "operator" and given["text"] == "Wood"]
    assert drawn and not any(given.get("translate", True) for given in drawn)
