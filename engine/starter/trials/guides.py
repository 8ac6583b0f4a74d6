"""Trials of CLIPs: with and without a teacher for words, trained on the worst of views, by two towers."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from safetensors.torch import load_file, save_file
from torch import Tensor

from engine.errors import InvalidRequest
from engine.models.guide import Clip
from engine.settings import Start
from engine.starter import captions
from engine.starter.evaluation import whole
from engine.starter.evaluation.naming import naming, shares
from engine.starter.evaluation.runs import Runs
from engine.starter.evaluation.synonyms import synonym_accuracy
from engine.starter.training import loop, teacher
from engine.starter.training.clip import GUIDE, JUDGE, TEXT, ClipStage, ClipTraining
from engine.starter.trials.place import Place, Show
from engine.starter.trials.record import Variant

WEIGHTS_FILE = "open_clip_model.safetensors"

ROBUST = 2.0
"""L2 length of the worst change, for views of 96 px: 3 of 255 levels a value, less than noise has."""

FROM: Start = "codes"
GUIDED_STEPS = 60
"""From random codes and with many steps, pictures are the guide's work and nobody else's."""

TOWERS = {"convolutions": "patina_texture_net_deep", "attention": "patina_patch_net"}
"""Two ways to see, by what is in them."""


def teachers(place: Place, steps: int, show: Show) -> dict[str, Variant]:
    """A guide with a teacher and one without; both have the shipped image tower and a fresh text tower.

    Raises:
        InvalidRequest: the teacher is not installed.
    """
    tower = _side(place, "guide", image=True)
    found = {}
    for name, meanings in (("with a teacher", _meanings(place)), ("without", None)):
        cfg = GUIDE.model_copy(update={"steps": steps, "start": tower})
        clip, seconds = _train(place, cfg, meanings, name, show)
        understood = synonym_accuracy(clip, captions.withheld_nouns(), place.bench.families)
        figures = {"unread nouns understood": understood, **_named(place, clip)}
        found[name] = Variant(steps=steps, seconds=seconds, figures=figures)
    return found


def robustness(place: Place, steps: int, show: Show) -> dict[str, Variant]:
    """The shipped guide trained on, plainly and on the worst of views; what each makes of random codes.

    Raises:
        InvalidRequest: the teacher is not installed.
    """
    meanings, found = _meanings(place), {}
    for name, length in (("plain", 0.0), ("robust", ROBUST)):
        begin = {"start": str(place.weights / "guide"), "lr": GUIDE.lr / 3}
        cfg = GUIDE.model_copy(update={"steps": steps, "robust": length, **begin})
        clip, seconds = _train(place, cfg, meanings, name, show)
        figures = {**_named(place, clip), **_guided(place, clip, name)}
        found[name] = Variant(steps=steps, seconds=seconds, figures=figures)
    return found


def judges(place: Place, steps: int, show: Show) -> dict[str, Variant]:
    """Judges of two architectures, each with a fresh image tower and the shipped judge's text tower.

    Raises:
        InvalidRequest: the teacher is not installed.
    """
    meanings, text, found = _meanings(place), _side(place, "judge", image=False), {}
    for name, tower in TOWERS.items():
        cfg = JUDGE.model_copy(update={"steps": steps, "start": text, "tower": tower})
        clip, seconds = _train(place, cfg, meanings, name, show)
        found[name] = Variant(steps=steps, seconds=seconds, figures=_named(place, clip))
    return found


def _side(place: Place, role: str, *, image: bool) -> str:
    """A folder with one tower of a shipped CLIP, to begin from."""
    folder = place.work / ("tower" if image else "words")
    folder.mkdir(parents=True, exist_ok=True)
    weights = load_file(place.weights / role / WEIGHTS_FILE)
    save_file({k: v for k, v in weights.items() if k.startswith("visual.") == image}, folder / WEIGHTS_FILE)
    return str(folder)


def _meanings(place: Place) -> Tensor:
    meanings = teacher.token_meanings(TEXT["width"], place.work.parents[1] / "teacher")
    if meanings is None:
        raise InvalidRequest("This trial needs the teacher: install requirements/train.txt.", field="trial")
    return meanings


def _train(
    place: Place, cfg: ClipTraining, meanings: Tensor | None, name: str, show: Show
) -> tuple[Clip, float]:
    wrong = partial(captions.negative, withheld=cfg.withheld)
    stage = ClipStage(place.data, cfg, place.bench.pack.compute, meanings, wrong)
    for step, _ in loop.run(stage, _folder(place, name)):
        show(name, step, stage.total_steps)
    stage.export(_folder(place, name) / "guide")
    clip = Clip(f"local-dir:{_folder(place, name) / 'guide'}", place.bench.pack.compute)
    return clip, round(loop.spent(stage, _folder(place, name)))


def _folder(place: Place, name: str) -> Path:
    return place.work / name.replace(" ", "-")


def _named(place: Place, clip: Clip) -> dict[str, float]:
    named = naming(place.bench.held_out, clip, place.bench.families)
    return {"family named": named["family"], "colour named": named["colour"]}


def _guided(place: Place, clip: Clip, name: str) -> dict[str, float]:
    """What the judge reads in pictures that this guide makes of random codes, and how it likes them."""
    bench = place.bench
    digest = hashlib.sha256((_folder(place, name) / "guide" / WEIGHTS_FILE).read_bytes()).hexdigest()
    pack = replace(bench.pack, guide=clip, hashes={**bench.pack.hashes, "guide": digest})
    runs = Runs(bench.work / "runs", pack, bench.namer)
    prompts = bench.prompts(bench.sizes.prompts)
    done = []
    for i, p in enumerate(prompts):
        settings = whole.settings(p.text, FROM, GUIDED_STEPS, bench.sizes.variations)
        bench.say(f"{name}: {i} of {len(prompts)} prompts")
        done.append(runs(settings))
    meant = [(p.family, p.colour) for p, r in zip(prompts, done, strict=True) for _ in r.read]
    read = shares([names for r in done for names in r.read], meant)
    return {
        "family in pictures": read["family"],
        "colour in pictures": read["colour"],
        "judge's score": float(np.mean([score for r in done for score in r.judge])),
    }
