"""The language of stories: `0: dry mud | 40: cracked mud | 80: wet mud`, scenes with their times.

What follows a time and its colon is a whole prompt, as engine/synthesis/prompts.py has it:

    story = scene { "|" scene }
    scene = time ":" prompt { "|" prompt }

So a bar begins a scene where a number and a colon follow it, and else another prompt of the same scene:
`0: mossy cobblestones | wet:0.4 | 40: "3:1 mix":0.5` are two scenes, the first of two prompts. In double
quotes neither bars nor colons count: `0: mud | "40: old"` is one scene.

A time is the number of a frame, counted from 0, or with % a share of the whole; where none is above 1, all
are shares. Before the first time and after the last one nothing changes. A story whose frames are numbered
beyond the last one is drawn together to fit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from engine.synthesis.prompts import QUOTED, BadPrompt, wanted

MARK = re.compile(r"\s*(\d+\.?\d*|\.\d+)\s*(%?)\s*:", re.ASCII)
MAX_SCENES = 32


@dataclass(frozen=True)
class Scene:
    """What is there at a time, 0 (the first frame) to 1 (the last one); `text` is a prompt for `wanted`."""

    at: float
    text: str


def scenes(written: str, frames: int) -> list[Scene]:
    """The scenes of a story that has so many frames (2 or more), in order.

    Raises:
        BadPrompt: a scene lacks its time, its prompt cannot be read or draws nowhere, times do not grow, or
            shares are above 100 %; it names the column.
    """
    found: list[tuple[float, bool, str, int]] = []
    for mark, end in _marked(written):
        text, begin = written[mark.end() : end], mark.end()
        if not text.strip():
            raise _bad("a scene has no words. Write some after the colon.", begin)
        try:
            wanted(text)
        except BadPrompt as error:
            raise _bad(error.sentence, begin + error.column) from error
        found.append((float(mark[1]), mark[2] == "%", text.strip(), mark.start(1) + 1))
    if len(found) > MAX_SCENES:
        raise _bad(f"a story has {MAX_SCENES} scenes at most.", found[MAX_SCENES][3])
    times = _shares([(number, percent) for number, percent, _, _ in found], frames)
    for i, (number, percent, _, place) in enumerate(found):
        if percent and number > 100:
            raise _bad("a share is 100% at most.", place)
        if i and times[i] <= times[i - 1]:
            raise _bad("this time is not after the one before. Write the scenes in order.", place)
    return [Scene(time, text) for time, (_, _, text, _) in zip(times, found, strict=True)]


def at(story: list[Scene], time: float) -> tuple[int, int, float]:
    """The scenes that a time lies between, and how far from the first to the second, 0..1."""
    following = next((i for i, scene in enumerate(story) if scene.at > time), len(story))
    if following in {0, len(story)}:
        only = min(following, len(story) - 1)
        return only, only, 0.0
    before, after = story[following - 1], story[following]
    return following - 1, following, (time - before.at) / (after.at - before.at)


def _marked(written: str) -> Iterator[tuple[re.Match[str], int]]:
    """Every scene's time, and where its prompts end."""
    mark = MARK.match(written)
    if mark is None:
        raise _bad('a scene begins with its time: write "0: dry mud | 40: wet mud".', 1)
    at = mark.end()
    while True:
        quoted = QUOTED.match(written, at)
        bar = written.find("|", at if quoted is None else quoted.end())
        if bar < 0:
            yield mark, len(written)
            return
        at = bar + 1
        if (following := MARK.match(written, at)) is not None:
            yield mark, bar
            mark, at = following, following.end()


def _shares(times: list[tuple[float, bool]], frames: int) -> list[float]:
    if all(number <= 1 or percent for number, percent in times) and len(times) > 1:
        return [number / 100 if percent else number for number, percent in times]
    last = max([frames - 1.0, *(number for number, percent in times if not percent)])
    return [number / 100 if percent else number / last for number, percent in times]


def _bad(sentence: str, column: int) -> BadPrompt:
    return BadPrompt(sentence, "story", column)
