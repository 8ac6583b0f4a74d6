"""The whole engine on prompts that training never saw: what the judge reads in what comes out."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.settings import RunSettings, Start
from engine.starter.evaluation.bench import Prompt
from engine.starter.evaluation.gap import Gap
from engine.starter.evaluation.naming import shares
from engine.starter.evaluation.runs import Run

SEED = 100


def settings(prompt: str, start: Start, steps: int, variations: int) -> RunSettings:
    """A run as the engine does it by itself, but for where it begins and how long it is guided."""
    changed = {"start": start, "steps": steps, "variations": variations}
    return RunSettings.model_validate({"prompt": prompt, "seed": SEED, **changed})


def summary(prompts: list[Prompt], runs: list[Run], gap: Gap) -> dict[str, Any]:
    """Shares, means and the worst seam over runs, one of each prompt.

    `best` is what people see first, the variation that the judge ranks highest; `each` takes all
    variations alike. The gap is over all variations, since the judge's choice of the best would hide it.
    """
    meant = [(p.family, p.colour) for p in prompts]
    best, each = [r.read[0] for r in runs], [name for r in runs for name in r.read]
    repeated = [m for m, r in zip(meant, runs, strict=True) for _ in r.read]
    return {
        "prompts": len(runs),
        "variations": len(runs[0].read),
        "best": shares(best, meant),
        "each": shares(each, repeated),
        "judge": float(np.mean([r.judge[0] for r in runs])),
        "guide": float(np.mean([r.guide[0] for r in runs])),
        "gap": float(np.mean([gap(r.guide, r.judge) for r in runs])),
        "vendi": float(np.mean([r.vendi for r in runs])),
        "seam_max": max(max(r.seams) for r in runs),
        "seconds": float(np.median([r.seconds for r in runs])),
        "missed": {
            p.text: f"{colour} {family}"
            for p, (family, colour) in zip(prompts, best, strict=True)
            if (family, colour) != (p.family, p.colour)
        },
    }
