"""How a run goes, besides what it makes: where it may stop, what is kept on the way, where it goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.synthesis.optimize import LoopState

Streams = Mapping[str, Sequence[torch.Generator]]
"""By purpose, a generator a variation."""


@dataclass(frozen=True)
class Saved:
    """The guided loop of some variations, between two steps.

    Attributes:
        first: their first variation.
        size: how many they are.
        step: how many steps are done.
        seeds: of the candidates that are left, as many of every variation, side by side.
        tensors: of `LoopState` by name, and as "stream/<purpose>" the states of random streams, a row
            for every seed, as in those.
    """

    first: int
    size: int
    step: int
    seeds: tuple[int, ...]
    tensors: Mapping[str, Tensor]


class Course:
    """The course of one run, in one or more groups of variations.

    Args:
        stop: asked after every guided step; from the first yes on the run makes results of what there is.
        save: gets all that is needed to go on from here, where that is due.
        every: steps from one saving to the next; 0 for none but where the run stops.
        saved: what an earlier run saved, to go on from.
    """

    def __init__(
        self,
        stop: Callable[[], bool] = lambda: False,
        save: Callable[[Sequence[Saved]], None] = lambda _: None,
        every: int = 0,
        saved: Sequence[Saved] = (),
    ) -> None:
        self.stop, self._save, self._every = stop, save, every
        self._saved = {part.first: part for part in saved}

    def size(self, first: int) -> int | None:
        """How many variations an earlier run guided together from this one on, if it came so far."""
        return self._saved[first].size if first in self._saved else None

    def leg(self, first: int, size: int) -> Leg:
        """The part of it in which these variations are guided."""
        return Leg(self, first, size)

    def before(self, first: int, size: int) -> Saved | None:
        """Where an earlier run left these variations."""
        saved = self._saved.get(first)
        return saved if saved is not None and saved.size == size else None

    def keep(self, part: Saved) -> None:
        """Remember where a group is, in place of all that was known of it and of those after it."""
        self._saved = {k: x for k, x in self._saved.items() if k < part.first} | {part.first: part}

    def write(self) -> None:
        """Save what is remembered."""
        self._save(list(self._saved.values()))

    def due(self, step: int) -> bool:
        """Whether to save after this step."""
        return self._every > 0 and step % self._every == 0


@dataclass
class Leg:
    """What the guided loop of one group asks. `stopped_at` is the step at which it was told to stop."""

    course: Course
    first: int
    size: int
    stopped_at: int | None = None

    def before(self) -> Saved | None:
        """Where an earlier run left these variations; None for the beginning."""
        return self.course.before(self.first, self.size)

    def goes(self, span: range) -> bool:
        """Whether these steps are to be guided: not if they were done before, nor after a stop."""
        saved = self.before()
        return self.stopped_at is None and (saved is None or saved.step <= span.stop)

    def begin(self, streams: Streams, device: torch.device, span: range) -> LoopState | None:
        """Where to go on, with the streams, by purpose, set to where they were.

        None where nothing of these steps was done before.
        """
        saved = self.before()
        if saved is None or not span.start < saved.step <= span.stop:
            return None
        for purpose, generators in streams.items():
            for generator, state in zip(generators, saved.tensors[f"stream/{purpose}"], strict=True):
                generator.set_state(state.clone())
        loop = {name: x.to(device) for name, x in saved.tensors.items() if not name.startswith("stream/")}
        return LoopState(saved.step, **loop)

    def stops(
        self,
        step: int,
        total: int,
        state: Callable[[], LoopState],
        streams: Streams,
        seeds: Sequence[int],
    ) -> bool:
        """Call after every step: keeps it where that is due, and says whether this was the last.

        Args:
            step, total: how many steps are done, of how many.
            state: copies what it takes to go on from here.
            streams: by purpose, of all that is guided.
            seeds: of what is guided, a variation's candidates side by side.
        """
        stop = step < total and self.course.stop()
        due = self.course.due(step)
        self.stopped_at = step if stop else None
        if not (stop or due or step == total):
            return stop
        now = state()
        tensors = {name: x.detach().cpu() for name, x in vars(now).items() if name != "step"}
        for purpose, generators in streams.items():
            tensors[f"stream/{purpose}"] = torch.stack([g.get_state() for g in generators])
        self.course.keep(Saved(self.first, self.size, step, tuple(seeds), tensors))
        if stop or due:
            self.course.write()
        return stop
