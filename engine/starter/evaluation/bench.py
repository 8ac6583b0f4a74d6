"""What every part of the evaluation measures on: a pack, materials with known names, prompts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from engine.models.packs import Pack
from engine.settings import RunSettings, Start
from engine.starter import captions, dataset
from engine.starter.data import Materials
from engine.starter.evaluation.naming import Namer
from engine.starter.materials import COLOURS, REGISTRY

SEEDS = {"seen": 10_000_000, "held_out": 20_000_000}
"""Neither set shares a seed with training; only the second has combinations that training never saw."""

STEPS: int = RunSettings.model_fields["steps"].default
"""Guided steps of a run that nobody changed."""


@dataclass(frozen=True)
class Prompt:
    """What is asked for, and what the judge should then read."""

    text: str
    family: str
    colour: str


@dataclass(frozen=True)
class Sizes:
    """How much is measured. The whole part takes prompts · steps · starts runs of the engine.

    Attributes:
        prompts: held-out prompts for the whole engine.
        materials: rendered for each of the two sets.
        steps: guided steps to compare.
        starts: where runs begin, as in `RunSettings.start`.
        variations: of each run.
        diverse: prompts for which `diverse_variations` are made.
        diverse_variations: of which diversity is taken.
    """

    prompts: int = 100
    materials: int = 256
    steps: tuple[int, ...] = (0, STEPS, 30, 100, 300)
    starts: tuple[Start, ...] = ("auto", "prior", "codes")
    variations: int = 4
    diverse: int = 8
    diverse_variations: int = 8


@dataclass(frozen=True)
class Bench:
    """One pack under measurement.

    Attributes:
        pack: its networks.
        families: that they were trained on.
        work: folder of rendered materials and finished runs; what is there already is used again.
        pictures: folder that the report's pictures are written to.
        sizes: how much is measured.
        say: told what is being done, for people.
    """

    pack: Pack
    families: tuple[str, ...]
    work: Path
    pictures: Path
    sizes: Sizes = Sizes()
    say: Callable[[str], None] = lambda _: None

    @cached_property
    def seen(self) -> Materials:
        """New materials of combinations that training saw."""
        return self._materials("seen")

    @cached_property
    def held_out(self) -> Materials:
        """Materials of combinations that training never saw."""
        return self._materials("held_out")

    @cached_property
    def namer(self) -> Namer:
        """Reads family and colour off a picture with the judge."""
        return Namer.of(self.pack.judge, self.families)

    def prompts(self, limit: int) -> list[Prompt]:
        """The same held-out prompts at every call; a lower limit takes the first of them."""
        return prompts(self.families, limit)

    def _materials(self, name: str) -> Materials:
        self.say(f"rendering materials: {name}")
        specs = dataset.plan(
            Path(name),
            self.sizes.materials,
            first_seed=SEEDS[name],
            size=256,
            held_out=name == "held_out",
            families=self.families,
        )
        # Sets of other sizes, families or formats lie beside it, each under its own name.
        header = json.dumps([spec.header() for spec in specs])
        folder = self.work / f"{name}-{hashlib.sha256(header.encode()).hexdigest()[:8]}"
        for _ in dataset.write([replace(spec, folder=folder) for spec in specs]):
            pass
        return Materials.open(folder)


def prompts(families: tuple[str, ...], limit: int, seed: int = 7) -> list[Prompt]:
    """Prompts "COLOUR NOUN" of pairs that training never saw together, as far as there are enough.

    Every pair comes with its family's first noun before any comes with the second.
    """
    held = sorted(captions.held_out(families), key=lambda p: (p[0], COLOURS.index(p[1])))
    pairs = [held[i] for i in np.random.default_rng(seed).permutation(len(held))]
    most = max((len(REGISTRY[family].nouns) for family, _ in pairs), default=0)
    worded = [
        Prompt(f"{colour} {REGISTRY[family].nouns[k]}", family, colour)
        for k in range(most)
        for family, colour in pairs
        if k < len(REGISTRY[family].nouns)
    ]
    return worded[:limit]
