"""Trial of the priors: masked parallel decoding against a stream of codes, trained for about as long."""

from __future__ import annotations

import time

from engine.models.prior import Prior
from engine.models.priors import AnyPrior
from engine.models.stream import StreamPrior
from engine.starter.evaluation import prior as sampling
from engine.starter.training import codes, loop
from engine.starter.training.prior import CodeStage, CodeTraining, PriorStage, PriorTraining
from engine.starter.training.stream import StreamStage, StreamTraining
from engine.starter.trials.place import Place, Show
from engine.starter.trials.record import Variant

SAMPLES = 8
"""Of each prompt: all are judged as they come, and the one that the guide likes best."""

SIZE_PX = 256
"""Of a sample."""

STEPS_OF_STREAM = 2.5
"""For every step of the masked prior, so that both are trained for the same time on two CPU cores."""


def priors(place: Place, steps: int, show: Show) -> dict[str, Variant]:
    """Both kinds, from nothing, on the codes of the shipped generator and captions that its guide reads."""
    pack, done = place.bench.pack, 0
    folder = codes.folder(place.work.parents[1], pack.generator)
    for count in codes.encode(place.data, pack.generator, folder, pack.compute):
        done += count
        show("codes", done, len(place.data))
    grids = codes.Grids.open(folder)
    kinds: dict[str, tuple[type[CodeStage], CodeTraining]] = {
        "masked": (PriorStage, PriorTraining(steps=steps)),
        "stream": (StreamStage, StreamTraining(steps=round(STEPS_OF_STREAM * steps))),
    }
    found = {}
    for name, (kind, cfg) in kinds.items():
        stage = kind(grids, place.data.params, pack.generator, pack.guide, cfg, pack.compute)
        for step, _ in loop.run(stage, place.work / name):
            show(name, step, stage.total_steps)
        model = stage.model
        model.load_state_dict(stage.average.values)
        model.eval().requires_grad_(False)
        assert isinstance(model, Prior | StreamPrior)
        seconds = round(loop.spent(stage, place.work / name))
        found[name] = Variant(steps=cfg.steps, seconds=seconds, figures=_sampled(place, model, name))
    return found


def _sampled(place: Place, prior: AnyPrior, name: str) -> dict[str, float]:
    """What the judge reads in samples, how different they are, and how long four take."""
    bench, drawn = place.bench, []
    prompts = bench.prompts(bench.sizes.prompts)
    for i, p in enumerate(prompts):
        bench.say(f"{name}: {i} of {len(prompts)} prompts")
        drawn.append(sampling.draw(p.text, SAMPLES, bench.pack, prior, SIZE_PX))
    begin = time.monotonic()
    sampling.draw(prompts[0].text, 4, bench.pack, prior, SIZE_PX)
    seconds = time.monotonic() - begin
    of = sampling.sampled(drawn, prompts, bench.namer)
    return {
        "family": of["as_drawn"]["family"],
        "colour": of["as_drawn"]["colour"],
        "family, best by the guide": of["ranked"]["family"],
        "colour, best by the guide": of["ranked"]["colour"],
        f"Vendi score of {SAMPLES}": of["vendi"],
        "seconds for four": seconds,
    }
