"""Which trials there are, and running one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from engine.starter import captions
from engine.starter.evaluation.stamp import now
from engine.starter.trials.guides import FROM, GUIDED_STEPS, judges, robustness, teachers
from engine.starter.trials.place import Place, Show
from engine.starter.trials.priors import priors
from engine.starter.trials.record import Trial, Variant


@dataclass(frozen=True)
class Question:
    """What a trial asks, how its figures are taken, what makes them, and what they may not be taken for."""

    text: str
    measured: str
    answer: Callable[[Place, int, Show], dict[str, Variant]]
    caution: str = ""


UNREAD = sum(map(len, captions.withheld_nouns().values()))

TRIALS = {
    "teacher": Question(
        "does a teacher help with words that no caption used?",
        "Both begin with the shipped guide's image tower and a text tower that knows nothing. Named are "
        "held-out materials; unread nouns are the withheld synonyms of the table above.",
        teachers,
        f"There are {UNREAD} such nouns: two of them more or less are within noise.",
    ),
    "robust": Question(
        "does a guide trained on the worst of views make better pictures?",
        "Both go on from the shipped guide. Named are held-out materials; pictures are "
        f"{GUIDED_STEPS} steps from {FROM}, all variations of held-out prompts, read by the judge.",
        robustness,
    ),
    "judge": Question(
        "does a small vision transformer judge better than convolutions?",
        "Both begin with the shipped judge's text tower and an image tower that knows nothing. Named are "
        "held-out materials.",
        judges,
    ),
    "prior": Question(
        "are codes better drawn in parallel or one after another?",
        "Both are trained from nothing for about as long. The judge reads samples of held-out prompts as "
        "they come, and of each prompt the one that the guide likes best.",
        priors,
    ),
}


def run(name: str, place: Place, steps: int, show: Show, machine: str) -> Trial:
    """Trains and measures all variants of a trial. What the folder has of them already is not done again."""
    question = TRIALS[name]
    folder = place.work / "trials" / f"{name}-{steps}"
    variants = question.answer(replace(place, work=folder), steps, show)
    return Trial(
        question=question.text,
        measured=question.measured,
        machine=machine,
        caution=question.caution,
        stamp=now(),
        variants=variants,
    )
