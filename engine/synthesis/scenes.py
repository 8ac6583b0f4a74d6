"""The language of stories: `0: dry mud | 40: cracked mud | 80: wet mud`, scenes with their times.

Scenes stand between bars. A time is the number of a frame, counted from 0, or with % a share of the whole;
where none is above 1, all are shares. Before the first time and after the last one nothing changes. A story
whose frames are numbered beyond the last one is drawn together to fit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.synthesis.prompts import BadPrompt

MARK = re.compile(r"\s*(\d+\.?\d*|\.\d+)\s*(%?)\s*:", re.ASCII)
MAX_SCENES = 32


@dataclass(frozen=True)
class Scene:
    """What is there at a time, 0 (the first frame) to 1 (the last one)."""

    at: float
    text: str


def scenes(written: str, frames: int) -> list[Scene]:
    """The scenes of a story that has so many frames (2 or more), in order.

    Raises:
        BadPrompt: a scene lacks its time or its words, times do not grow, or shares are above 100 %; it
            names the column.
    """
    found: list[tuple[float, bool, str, int]] = []
    column = 1
    for part in written.split("|"):
        mark = MARK.match(part)
        if mark is None:
            raise _bad('a scene begins with its time: write "0: dry mud | 40: wet mud".', column)
        text = part[mark.end() :].strip()
        if not text:
            raise _bad("a scene has no words. Write some after the colon.", column + mark.end())
        found.append((float(mark[1]), mark[2] == "%", text, column + mark.start(1)))
        column += len(part) + 1
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


def _shares(times: list[tuple[float, bool]], frames: int) -> list[float]:
    if all(number <= 1 or percent for number, percent in times) and len(times) > 1:
        return [number / 100 if percent else number for number, percent in times]
    last = max([frames - 1.0, *(number for number, percent in times if not percent)])
    return [number / 100 if percent else number / last for number, percent in times]


def _bad(sentence: str, column: int) -> BadPrompt:
    return BadPrompt(sentence, "story", column)
