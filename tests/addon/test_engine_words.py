"""Whether what the engine says to artists has a translation, and finds it."""

from __future__ import annotations

import ast
import json
from types import SimpleNamespace

import pytest

from tests.addon import engine_sentences, sentences

SPANISH = json.loads((sentences.ADDON / "translations/engine/es.json").read_text("utf-8"))


def test_every_sentence_of_the_engine_that_an_artist_may_meet_is_there_in_spanish():
    said = engine_sentences.of_engine()
    for text in (
        "{} candidates of {} x {} pixels do not fit into memory. Try fewer.",  # an error
        "Memory was short, so that {} of the variations were made at once.",  # a warning
        "has too many pixels. Scale it down",  # what is wrong with a picture
    ):
        assert text in said, "or the collection sees nothing"
    missing = {text: where for text, where in said.items() if text not in SPANISH["sentences"]}
    assert not missing, "\n".join(f"{where}: {text!r}" for text, where in missing.items())


def test_no_sentence_is_left_over():
    assert not set(SPANISH["sentences"]) - set(engine_sentences.of_engine())


def test_every_slot_is_filled_in_spanish_too():
    wrong = [text for text, said in SPANISH["sentences"].items() if text.count("{}") != said.count("{}")]
    assert not wrong
    assert not [said for said in SPANISH["sentences"].values() if "{" in said.replace("{}", "")]


def words_of(path, name):
    """A table or a tuple of words in a module that cannot be imported here."""
    for node in ast.parse((engine_sentences.ENGINE / path).read_text("utf-8")).body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if getattr(target, "id", None) == name:
            keys = node.value.keys if isinstance(node.value, ast.Dict) else node.value.elts
            return [ast.literal_eval(key) for key in keys]
    raise AssertionError(f"{path} has no {name}")


@pytest.mark.parametrize(
    ("path", "name", "least"),
    [
        ("library/vocabulary.py", "PATTERN_WORDS", 20),
        ("starter/captions/lexicon.py", "MODIFIER_WORDS", 10),
        ("starter/captions/lexicon.py", "FINISH_WORDS", 2),
    ],
)
def test_every_tag_is_there_in_spanish(path, name, least):
    tags = words_of(path, name)
    assert len(tags) >= least
    assert not set(tags) - set(SPANISH["tags"])


UNKNOWN = (
    'The starter pack does not know "zyx"; the closest that it knows: moss. '
    "Expect something else, or use other words."
)
DESCONOCIDA = (
    'El paquete starter no conoce "zyx"; lo más cercano que conoce: moss. '
    "Espere otra cosa, o use otras palabras."
)


@pytest.mark.parametrize(
    ("english", "spanish"),
    [
        ("The prompt is empty. Describe a surface.", "La descripción está vacía. Describa una superficie."),
        ("'steps' must be one of 'a', 'b'; 3 was given.", "'steps' debe ser uno de 'a', 'b'; se dio 3."),
        ("'size' must be between 1 and 9; 0 was given.", "'size' debe estar entre 1 y 9; se dio 0."),
        ("'image': /home/a b/c: d.png is not there.", "'image': /home/a b/c: d.png no está."),
        (
            "The preset file x.json has an unknown entry 'y'.",
            "El archivo de preajuste x.json tiene una entrada desconocida 'y'.",
        ),
        (UNKNOWN, DESCONOCIDA),
        ("{0} {x} cannot be read.", "No se puede leer {0} {x}."),
        ("mossy", "musgoso"),
        ("Nothing that the engine says", "Nothing that the engine says"),
        ("", ""),
    ],
)
def test_a_sentence_is_said_in_spanish_with_what_was_filled_in(blender, english, spanish):
    say = blender.package.engine_words.say
    assert say(english, "es_ES") == say(english, "es") == spanish
    for other in ("", "en_US", "ja_JP", "../es"):
        assert say(english, other) == english


def test_panels_look_up_what_the_engine_says(blender):
    words = blender.package.words
    assert words._look_up == blender.package.translations.look_up
    assert words.tr("The prompt is empty. Describe a surface.").startswith("The prompt"), "Blender is English"


@pytest.fixture
def view(blender, monkeypatch):
    """The artist's choice of languages, Spanish. The bpy module has none: what Blender answers is given."""
    view = SimpleNamespace(use_translate_interface=True)
    answers = {("Ready", "Patina"): "Listo"}
    said = SimpleNamespace(
        pgettext_iface=lambda text, context: answers.get((text, context), text), locale="es_ES"
    )
    preferences = SimpleNamespace(view=view)
    stand = SimpleNamespace(
        app=SimpleNamespace(translations=said), context=SimpleNamespace(preferences=preferences)
    )
    monkeypatch.setattr(blender.package.translations, "bpy", stand)
    return view


def test_blender_is_asked_first_and_then_the_engines_words(blender, view):
    tr = blender.package.words.tr
    assert tr("Ready") == "Listo"
    assert tr("mossy") == "musgoso"
    assert tr("'size' must be between 1 and 9; 0 was given.").startswith("'size' debe estar entre 1 y 9")
    view.use_translate_interface = False
    assert tr("mossy") == "mossy", "the artist has switched translating off"


@pytest.mark.usefixtures("view")
def test_each_of_several_warnings_is_said_in_spanish(blender):
    memory = "Memory was short, so that 2 of the variations were made at once."
    blender.session.show([], 0, None)
    blender.session.warnings = [memory, UNKNOWN]
    blender.package.pump.mirror()
    assert blender.state.warnings.splitlines() == [
        "Faltaba memoria, así que se hicieron 2 de las variaciones a la vez.",
        DESCONOCIDA,
    ]


def test_tags_go_from_the_material_to_the_finish(blender):
    facets = ("finish", "colour", "strange", "material", "condition", "colour")
    labels = ("matte", "orange", "else", "grass", "wet", "green")
    told = [
        {"facet": facet, "label": label, "confidence": 0.9 - 0.1 * i}
        for i, (facet, label) in enumerate(zip(facets, labels, strict=True))
    ]
    found = blender.package.session.by_facet(told)
    assert [tag["label"] for tag in found] == ["grass", "orange", "green", "wet", "matte", "else"]
    answer = {"name": "x", "files": {"basecolor": "x.png"}, "tags": told, "badges": {}}
    texture = blender.package.library.Found.of(answer)
    assert texture.labels(6) == ["grass", "orange", "green", "wet", "matte", "else"]
    assert texture.labels(3) == ["orange", "matte", "else"], "the surest, in the same order"
