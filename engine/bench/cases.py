"""What is measured: loops, devices, sizes, numbers of variations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from engine.settings import RunSettings

Loop = Literal["textbook", "ours"]
LOOPS: tuple[Loop, ...] = ("textbook", "ours")

CUTOUTS: int = RunSettings.model_fields["cutouts"].default
LR = 0.1  # the published one: a random start has far to go


class Case(BaseModel):
    """One loop on one task. Two cases that differ in `loop` alone are what is compared.

    Attributes:
        loop: "ours" guides all variations at once, "textbook" one after another.
        device: "cpu", "cuda" or "mps".
        size_px: side of the picture.
        variations: how many pictures.
        steps: of each picture.
        watched: whether the judge looks now and then, outside the clock.
        threads: of the CPU; None leaves it to PyTorch.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    loop: Loop
    device: str
    size_px: int
    variations: int
    steps: int
    watched: bool = False
    threads: int | None = None
    pack: str = "starter"
    prompt: str = "mossy cobblestones"
    seed: int = 1
    cutouts: int = CUTOUTS

    @property
    def task(self) -> str:
        """What both loops are asked for, for people."""
        pictures = "1 picture" if self.variations == 1 else f"{self.variations} pictures"
        return f"{self.device}, {self.size_px} px, {pictures}"

    def settings(self, steps: int | None = None) -> RunSettings:
        """Of our run: the engine's own, but that it begins at random and need not keep near to that.

        What else a run may have, and the published loop has not, is off, whatever the engine's defaults
        become: a step guides every picture, at its full size, by a prompt of weight 1 and `cutouts` views.
        """
        asked = {
            "prompt": self.prompt, "pack": self.pack, "seed": self.seed, "variations": self.variations,
            "width": self.size_px, "height": self.size_px, "steps": self.steps if steps is None else steps,
            "cutouts": self.cutouts, "start": "codes", "keep": 0.0, "lr": LR,
            "candidates": 1, "coarse": False, "guides": (), "lit_cuts": 0.0, "negative": "",
            "anti_lettering": 0.0,
        }  # fmt: skip
        return RunSettings.model_validate(asked)


QUICK = {(256, 1): (30, True), (256, 8): (2, False)}
COMPLETE = {(256, 1): (60, True), (256, 8): (18, True), (512, 1): (30, True), (512, 8): (3, False)}
"""(size, variations) → (steps, watched)."""


def plan(devices: Sequence[str], *, quick: bool, threads: int | None = None) -> list[Case]:
    """Every case, the two loops of a task beside each other."""
    return [
        Case(
            loop=loop, device=device, size_px=size_px, variations=variations,
            steps=steps, watched=watched, threads=threads,
        )
        for device in devices
        for (size_px, variations), (steps, watched) in (QUICK if quick else COMPLETE).items()
        for loop in LOOPS
    ]  # fmt: skip
