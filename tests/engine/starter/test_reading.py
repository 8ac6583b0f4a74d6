"""What prompts say lies on a material: which words name it, how much of it there is, and what is left."""

from __future__ import annotations

import pytest

from engine.starter.captions.reading import read
from engine.starter.materials import COATS, REGISTRY, STRENGTHS
from engine.starter.materials.coats import most

PLAIN, LITTLE, MUCH = STRENGTHS["plain"], STRENGTHS["slightly"], STRENGTHS["heavily"]


def only(text):
    """A prompt's material and its coats, each with what it is."""
    found = read([(text, 1.0)])
    assert found is not None, text
    return found.materials[0], {c["name"]: (c["amount"], c["colour"], c["place"]) for c in found.coats}


@pytest.mark.parametrize(
    ("text", "material", "coats"),
    [
        ("mossy red bricks", "red bricks", {"mossy": (PLAIN, None, None)}),
        ("snow-covered cobblestones", "cobblestones", {"snowy": (MUCH, None, None)}),
        ("Slightly snowy roof shingles", "roof shingles", {"snowy": (LITTLE, None, None)}),
        ("wood planks covered in leaves", "wood planks", {"leaves": (MUCH, None, None)}),
        ("grass growing between cobblestones", "cobblestones", {"grass": (PLAIN, None, "between")}),
        ("yellow leaves on asphalt", "asphalt", {"leaves": (PLAIN, "yellow", "on top")}),
        ("cobblestones with some moss in the joints", "cobblestones", {"mossy": (LITTLE, None, "between")}),
        ("white marble with gold veins", "white marble", {"gold": (PLAIN, None, None)}),
        ("blue painted bricks", "bricks", {"painted": (PLAIN, "blue", None)}),
        ("bricks painted blue", "bricks", {"painted": (PLAIN, "blue", None)}),
        ("bricks, snow on top", "bricks", {"snowy": (PLAIN, None, "on top")}),
        ("snow on grass", "grass", {"snowy": (PLAIN, None, "on top")}),
        ("sand with pebbles", "sand", {"pebbles": (PLAIN, None, None)}),
        ("stone wall overgrown with moss", "stone wall", {"mossy": (PLAIN, None, None)}),
        ("old tiles with moss", "old tiles", {"mossy": (PLAIN, None, None)}),
        ("wet dusty slate", "slate", {"dusty": (PLAIN, None, None), "wet": (PLAIN, None, None)}),
    ],
)  # fmt: skip
def test_words_for_coats_are_taken_out(text, material, coats):
    assert only(text) == (material, coats)


@pytest.mark.parametrize(
    "text",
    ["moss", "fresh snow", "rusty metal plate", "cracked mud", "autumn leaves", "sandy beach", "worn leather",
     "snow leopard fur", "red velvet", "rust-coloured leather", "stained glass", "mossy ruins", "molten lava",
     "gold tiles", "gold leaf"],
)  # fmt: skip
def test_what_is_a_material_by_name_or_unknown_stays(text):
    assert read([(text, 1.0)]) is None


@pytest.mark.parametrize("family", REGISTRY)
def test_no_family_is_taken_for_a_coat(family):
    for noun in REGISTRY[family].nouns:
        assert read([(noun, 1.0)]) is None, noun


@pytest.mark.parametrize("name", COATS)
def test_every_coat_is_understood_by_its_name(name):
    said = f"bricks with {'gold veins' if name == 'gold' else name}"
    assert name in only(said)[1]


def test_weights_move_how_much_there_is():
    amounts = [read([("bricks", 1.0), ("snow", w)]).coats[0]["amount"] for w in (0.2, 0.4, 1.0, 1.5)]
    assert amounts == pytest.approx([0.2 * PLAIN, 0.4 * PLAIN, PLAIN, 1.5 * PLAIN], abs=0.006)
    assert read([("bricks", 1.0), ("snow", 9.0)]).coats[0]["amount"] == most("snowy")
    assert read([("bricks", 2.0), ("snow", 1.0)]).coats == read([("bricks", 1.0), ("snow", 0.5)]).coats


def test_prompts_add_up_and_negative_ones_take_away():
    more = read([("mossy bricks", 1.0), ("moss", 0.2)])
    less = read([("mossy bricks", 1.0), ("moss", -0.25)])
    none = read([("mossy bricks", 1.0), ("moss", -0.5)])
    assert more.coats[0]["amount"] == pytest.approx(1.2 * PLAIN, abs=0.006)
    assert less.coats[0]["amount"] == pytest.approx(0.5 * PLAIN, abs=0.006)
    assert none.coats == ()
    assert read([("white marble with gold veins", 1.0), ("gold", -0.5)]).coats == ()
    assert more.materials == ("bricks", None)
    assert less.materials == ("bricks", "moss"), "what it shall not be like still counts"
