"""The language of prompts: `mossy cobblestones | wet:0.4 | text:-0.5`.

Prompts stand between bars. After its text a prompt may have a weight, and after the weight a stop:

    prompts = prompt { "|" prompt }
    prompt  = text [ ":" weight [ ":" stop ] ]

A weight above 0 draws towards the text, one below 0 pushes away from it; without one it is 1. The stop is
the distance, θ²/2 in CLIP's space, that is near enough, or for a negative weight far enough: 0 is the same
direction, 1.23 unrelated. Without one a prompt never stops.

A colon counts only before a number at the end: "3:1 mix" and "rock: dark" are texts as they stand, but
"mixed 3:1" is the text "mixed 3" with weight 1. Where bar or colon belong to the text, it goes in double
quotes, and a double quote within these is written twice: `"mixed 3:1":0.5`. Double quotes that do not
begin a prompt mean themselves.

Source: `split_prompt` in nerdyrodent/VQGAN-CLIP, `generate.py`, whose stops are distances times the
weight's sign.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from engine.errors import InvalidRequest

MAX_WEIGHT = 10.0
MAX_STOP = math.pi**2 / 2

QUOTED = re.compile(r'\s*"((?:[^"]|"")*+)"')
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
MEANT_AS_NUMBER = re.compile(r"([\d.,+−–-][\d.,+−–\s%-]*)?", re.ASCII)  # "0,4" and "" are mistakes, not text
MINUS = str.maketrans("−–", "--")  # what word processors make of a hyphen


class BadPrompt(InvalidRequest):
    """A prompt that cannot be read: what is wrong, and where; `column` counts characters from 1."""

    code: ClassVar[int] = -32010
    kind: ClassVar[str] = "bad_prompt"

    def __init__(self, sentence: str, field: str = "prompt", column: int = 1) -> None:
        super().__init__(f"{field.capitalize()}, column {column}: {sentence}", field=field)
        self.sentence, self.column = sentence, column


@dataclass(frozen=True)
class Prompt:
    """A text, how strongly it counts, and the distance at which it no longer does; None: never.

    `str` spells it so that `parse` reads the same again.
    """

    text: str
    weight: float = 1.0
    stop: float | None = None

    def __str__(self) -> str:
        numbers = [] if self.weight == 1 and self.stop is None else [repr(self.weight)]
        numbers += [] if self.stop is None else [repr(self.stop)]
        literal = not ("|" in self.text or self.text.startswith('"') or len(_fields(self.text, 0)) > 1)
        doubled = self.text.replace('"', '""')
        return ":".join([self.text if literal else f'"{doubled}"', *numbers])


def parse(written: str, field: str = "prompt") -> list[Prompt]:
    """The prompts in what a person wrote, in order.

    Args:
        written: one prompt or more; the module says how.
        field: of the request, for errors.

    Raises:
        BadPrompt: a prompt lacks its text, a quote its end, or a number is out of range or ill-formed; it
            names the column.
    """
    return [prompt for prompt, _ in _placed(written, field)]


def wanted(prompt: str, negative: str = "", negative_weight: float = 1.0) -> list[Prompt]:
    """All that a request asks for in words: its prompts and, with weights turned round, its negative ones.

    Prompts of weight 0 are left out.

    Args:
        prompt: must draw somewhere: a material is begun from what has a weight above 0.
        negative: the same language, with weights above 0; blank for none.
        negative_weight: weights of negative prompts are multiplied by it.

    Raises:
        BadPrompt: see `parse`; or no prompt has a weight above 0, or a negative one has one below.
    """
    found = parse(prompt)
    if not any(p.weight > 0 for p in found):
        raise BadPrompt("nothing here has a weight above 0. Say also what the surface should be.")
    for p, column in _placed(negative, "negative") if negative.strip() else ():
        if p.weight < 0:
            raise BadPrompt("this is to be avoided already. Take the minus sign away.", "negative", column)
        found.append(Prompt(p.text, -negative_weight * p.weight, p.stop))
    return [p for p in found if p.weight != 0]


def title(written: str) -> str:
    """What a result is called: the texts that its prompts draw towards.

    Raises:
        BadPrompt: see `parse`.
    """
    return ", ".join(p.text for p in parse(written) if p.weight > 0)


def _placed(written: str, field: str) -> Iterator[tuple[Prompt, int]]:
    """Prompts and the columns at which they begin."""
    at = 0
    while at <= len(written):
        quoted = QUOTED.match(written, at)
        if quoted is None and written[at:].lstrip().startswith('"'):
            raise BadPrompt(
                "this quote has no end. Close it, or leave it out.", field, written.index('"', at) + 1
            )
        bar = written.find("|", at if quoted is None else quoted.end())
        end = len(written) if bar < 0 else bar
        if quoted is None:
            (text, column), *numbers = _fields(written[at:end], at)
        else:
            text, column = quoted[1].replace('""', '"'), quoted.start(1)
            numbers = _after_quote(written[quoted.end() : end], quoted.end(), field)
        if not text.strip():
            raise BadPrompt("a prompt has no words. Write some, or take the sign away.", field, column + 1)
        yield _prompt(text.strip(), numbers, field), column + 1
        at = end + 1


def _fields(part: str, at: int) -> list[tuple[str, int]]:
    """An unquoted prompt's text and what was meant as its numbers, each with its index."""
    pieces = _split(part, at)
    first = len(pieces)
    while first > 1 and _is_numeric(pieces[first - 1][0].strip()):
        first -= 1
    text = part if first == len(pieces) else part[: pieces[first][1] - at - 1]
    spaces = len(text) - len(text.lstrip())
    return [(text, at + spaces), *pieces[first:]]


def _after_quote(rest: str, at: int, field: str) -> list[tuple[str, int]]:
    """The numbers behind a quoted text."""
    if not rest.strip():
        return []
    before, *numbers = _split(rest, at)
    if before[0].strip():
        column = at + len(rest) - len(rest.lstrip()) + 1
        raise BadPrompt("only a weight can follow a quote. Put the whole text in quotes.", field, column)
    return numbers


def _prompt(text: str, numbers: list[tuple[str, int]], field: str) -> Prompt:
    if len(numbers) > 2:
        raise BadPrompt(
            "a text has a weight and a stop, and no third number. Put the text in quotes if this is its own.",
            field,
            numbers[2][1] + 1,
        )
    weight = _number(*numbers[0], "weight", -MAX_WEIGHT, field) if numbers else 1.0
    stop = _number(*numbers[1], "stop", 0.0, field) if len(numbers) > 1 else None
    return Prompt(text, weight, stop)


def _number(written: str, at: int, kind: str, lowest: float, field: str) -> float:
    column, digits = at + len(written) - len(written.lstrip()) + 1, written.strip().translate(MINUS)
    highest = MAX_WEIGHT if kind == "weight" else MAX_STOP
    if not NUMBER.fullmatch(digits):
        shown = f"{_shown(written.strip())} is no {kind}" if digits else f"the {kind} is missing"
        raise BadPrompt(
            f"{shown}. Write a number such as 0.5, or put the text in quotes if the colon is its own.",
            field,
            column,
        )
    if not lowest <= float(digits) <= highest:
        raise BadPrompt(
            f"a {kind} lies between {lowest:.4g} and {highest:.4g}. Change {_shown(digits)}, or put the "
            "text in quotes if the number is its own.",
            field,
            column,
        )
    return float(digits)


def _split(part: str, at: int) -> list[tuple[str, int]]:
    """What stands between colons, each with its index."""
    pieces = []
    for piece in part.split(":"):
        pieces.append((piece, at))
        at += len(piece) + 1
    return pieces


def _is_numeric(piece: str) -> bool:
    return bool(NUMBER.fullmatch(piece) or MEANT_AS_NUMBER.fullmatch(piece))


def _shown(written: str) -> str:
    return f'"{written}"' if len(written) <= 20 else f'"{written[:17]}..."'
