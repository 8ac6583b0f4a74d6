"""The language of prompts: what is read, what is refused, and where."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis.strategies import characters, floats, lists, none, sampled_from, text

from engine.synthesis.prompts import MAX_STOP, MAX_WEIGHT, BadPrompt, Prompt, parse, title, wanted

TEXTS = text(characters(exclude_categories=["Cs"]), min_size=1) | text(sampled_from('a3|:". ,-%'), min_size=1)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("mossy cobblestones", [Prompt("mossy cobblestones")]),
        (
            "mossy cobblestones | wet:0.4 | text:-0.5",
            [Prompt("mossy cobblestones"), Prompt("wet", 0.4), Prompt("text", -0.5)],
        ),
        ("bricks:2:0.3|moss :-.5 : 1.2", [Prompt("bricks", 2, 0.3), Prompt("moss", -0.5, 1.2)]),
        ("wet:−0.5", [Prompt("wet", -0.5)]),
        ("wet:1e-1", [Prompt("wet", 0.1)]),
        ("3:1 mix", [Prompt("3:1 mix")]),
        ("3:1 mix:0.5", [Prompt("3:1 mix", 0.5)]),
        ("rock: dark | at 12:30 noon", [Prompt("rock: dark"), Prompt("at 12:30 noon")]),
        ("mixed 3:1", [Prompt("mixed 3", 1)]),
        ('"mixed 3:1"', [Prompt("mixed 3:1")]),
        ('"mixed 3:1":0.5:1', [Prompt("mixed 3:1", 0.5, 1)]),
        (' "a | b" : 2 | c', [Prompt("a | b", 2), Prompt("c")]),
        ('"say ""moss"""', [Prompt('say "moss"')]),
        ('12" tiles | 5\' "wide" boards', [Prompt('12" tiles'), Prompt('5\' "wide" boards')]),
        ("42", [Prompt("42")]),
        ("wet:inf", [Prompt("wet:inf")]),
    ],
)
def test_what_is_written_is_read(written, expected):
    assert parse(written) == expected


@pytest.mark.parametrize(
    ("written", "column", "said"),
    [
        ("", 1, "no words"),
        ("bricks |", 9, "no words"),
        ("bricks | | moss", 10, "no words"),
        ("bricks |  :0.4", 11, "no words"),
        ('bricks | ""', 11, "no words"),
        ("bricks | wet:", 14, "the weight is missing"),
        ("bricks::0.5", 8, "the weight is missing"),
        ("bricks:0.5:", 12, "the stop is missing"),
        ("bricks | wet: 0,4", 15, '"0,4" is no weight. Write a number such as 0.5'),
        ("wet:40%", 5, '"40%" is no weight'),
        ("wet:0.4.2", 5, "is no weight"),
        ("open at 12:30", 12, "between -10 and 10"),
        ("wet:-11", 5, "between -10 and 10"),
        ("wet:-0.5:-0.7", 10, "between 0 and 4.935"),
        ("wet:1:5", 7, "between 0 and 4.935"),
        ("wet:1:2:3", 9, "no third number"),
        ('bricks | "old moss', 10, "no end"),
        ('"old""', 1, "no end"),
        ('"old" moss', 7, "Put the whole text in quotes"),
        ('"old":x', 7, '"x" is no weight'),
    ],
)
def test_a_mistake_is_named_by_its_column_with_a_way_out(written, column, said):
    with pytest.raises(BadPrompt) as caught:
        parse(written)
    assert (caught.value.column, caught.value.field) == (column, "prompt")
    assert caught.value.message.startswith(f"Prompt, column {column}: ")
    assert said in caught.value.message
    assert len(caught.value.message) < 200  # a panel shows it


@given(TEXTS, floats(-MAX_WEIGHT, MAX_WEIGHT), none() | floats(0, MAX_STOP))
def test_what_is_spelled_is_read_again(words, weight, stop):
    prompt = Prompt(words.strip() or "moss", weight, stop)
    assert parse(str(prompt)) == [prompt]
    assert parse(f"{prompt} | {prompt}") == [prompt, prompt]


@given(
    lists(sampled_from(["|", ":", '"', "a", " ", "0.5", "-", ",", "\n", "9", "é", "−"])).map("".join) | text()
)
def test_whatever_is_written_is_read_or_refused(written):
    """A panel sends what has been typed so far. What is read has words and numbers in range."""
    try:
        prompts = parse(written)
    except BadPrompt as error:
        columns, prompts = range(1, len(written) + 2), []
        found = error.column
    else:
        columns, found = range(1), 0
    assert found in columns
    assert all(p.text and p.text == p.text.strip() and abs(p.weight) <= MAX_WEIGHT for p in prompts)


def test_negative_prompts_are_the_same_thing_with_weights_turned_round():
    expected = [Prompt("bricks"), Prompt("moss", -0.5), Prompt("text", -0.25, 1.2)]
    assert wanted("bricks", "moss | text:0.5:1.2", 0.5) == expected
    assert wanted("bricks | moss:-0.5 | text:-0.25:1.2") == expected


def test_what_has_no_weight_is_left_out():
    assert wanted("bricks | moss:0", "text", 0.0) == [Prompt("bricks")]
    assert wanted("bricks", "  ") == [Prompt("bricks")]


def test_something_must_be_wanted():
    with pytest.raises(BadPrompt, match="Say also what the surface should be") as caught:
        wanted("text:-1 | moss:0")
    assert caught.value.field == "prompt"


def test_to_avoid_twice_is_refused():
    with pytest.raises(BadPrompt, match=r"Negative, column 8: .* minus sign") as caught:
        wanted("bricks", "moss | text:-0.5")
    assert (caught.value.field, caught.value.column) == ("negative", 8)


def test_a_result_is_called_by_what_is_wanted():
    assert title('mossy cobblestones | "3:1":0.4 | text:-0.5') == "mossy cobblestones, 3:1"
    assert title("red bricks") == "red bricks"
