"""`train` and `evaluate` on the command line."""

from __future__ import annotations

import argparse
import logging
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.errors import InvalidRequest
from engine.models.packs import ROOT
from engine.starter.training.sizes import SIZES, Size

STAGES = (
    "materials", "guide", "judge", "generator", "decoder", "estimator", "prior", "stream", "exemplars",
)  # fmt: skip

SHIPPED = tuple(stage for stage in STAGES if stage != "stream")
"""What trains where nobody names a stage: all that the starter pack is made of."""


def train_arguments(add: argparse.ArgumentParser) -> None:
    """Declares the options of `train`."""
    add.add_argument(
        "stages", nargs="*", metavar="STAGE",
        help=f"of {', '.join(STAGES)}, in that order (default: all but stream, an autoregressive prior)",
    )  # fmt: skip
    add.add_argument(
        "--work", type=Path, default=Path(".cache/training"), metavar="DIR",
        help="shards and checkpoints; with the same folder, training goes on where it stopped",
    )  # fmt: skip
    add.add_argument(
        "--out", type=Path, metavar="DIR", help="weights (default: the starter pack's own folder)"
    )
    add.add_argument("--device", default="auto", metavar="D", help="auto, cpu, cuda or mps")
    add.add_argument("--threads", type=int, metavar="N", help="CPU threads (default: PyTorch's choice)")
    add.add_argument(
        "--families", metavar="NAME,...", help="train on these procedural materials only (default: all)"
    )
    add.add_argument(
        "--size", choices=tuple(SIZES), metavar="SIZE",
        help="how much is trained: cpu (default), full for one GPU of 24 GB or more, smoke (see --smoke)",
    )  # fmt: skip
    add.add_argument(
        "--supersampling",
        type=int,
        metavar="N",
        help="draw materials this many times larger (default: 2 at full size, else 1)",
    )
    add.add_argument(
        "--start",
        type=Path,
        metavar="DIR",
        help="older networks to begin from: guide/, judge/, generator/, prior/, stream/",
    )
    add.add_argument(
        "--smoke",
        action="store_true",
        help="--size smoke: everything small, in two minutes, into --work: to see that it learns",
    )


def train(options: argparse.Namespace) -> int:
    """Trains the wanted stages and, where all networks are there, enters them in the catalogue."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from engine.compute import choose
    from engine.material import files
    from engine.models.packs import CATALOGUE
    from engine.starter.training import pipeline

    unknown = [s for s in options.stages if s not in STAGES]
    if unknown:
        raise InvalidRequest(
            f"There is no stage {unknown[0]!r}. Stages: {', '.join(STAGES)}.", field="stages"
        )
    name, size = _size(options)
    shipped = options.out is None and name != "smoke"
    out = options.out or (pipeline.WEIGHTS if shipped else options.work / "weights")
    for folder in (options.work, out, *([CATALOGUE] if shipped else [])):
        files.check_folder(folder)
    _set_up(options.threads)
    plan = pipeline.Plan(options.work, out, choose(options.device), size, options.start)
    columns = (TextColumn("{task.description:10}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    figures = TextColumn("{task.fields[figures]}")
    with Progress(*columns, figures, console=Console(stderr=True)) as bar:
        tasks = {}
        for stage, step, total, values in pipeline.stages(plan, tuple(options.stages or SHIPPED)):
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=total, figures="")
            text = "  ".join(f"{k} {v:.3f}" for k, v in values.items())
            bar.update(tasks[stage], completed=step, total=total, figures=text)
    if shipped:
        pipeline.write_catalogue_entry()
    return 0


def _size(options: argparse.Namespace) -> tuple[str, Size]:
    """The size that was asked for, by name, and with what other options change of it."""
    from engine.starter.materials import FAMILIES

    if options.smoke and options.size not in {None, "smoke"}:
        raise InvalidRequest(
            f"--smoke and --size {options.size} contradict each other: leave one out.", field="size"
        )
    name = "smoke" if options.smoke else options.size or "cpu"
    size = SIZES[name]
    if options.families:
        families = tuple(sorted(options.families.split(",")))
        if strange := [family for family in families if family not in FAMILIES]:
            raise InvalidRequest(
                f"There is no material {strange[0]!r}. Materials: {', '.join(FAMILIES)}.", field="families"
            )
        size = replace(size, families=families)
    if options.supersampling is not None:
        size = replace(size, supersampling=options.supersampling)
    return name, size


def evaluate_arguments(add: argparse.ArgumentParser) -> None:
    """Declares the options of `evaluate`."""
    add.add_argument(
        "--work", type=Path, default=Path(".cache/evaluation"), metavar="DIR",
        help="materials and finished runs; with the same folder, nothing is done twice",
    )  # fmt: skip
    add.add_argument("--pack", default="starter", metavar="NAME", help="the networks to measure")
    add.add_argument("--device", default="auto", metavar="D", help="auto, cpu, cuda or mps")
    add.add_argument("--threads", type=int, metavar="N", help="CPU threads (default: PyTorch's choice)")
    add.add_argument("--parts", type=_words, metavar="PART,...", help="measure these only (default: all)")
    add.add_argument("--prompts", type=int, metavar="N", help="held-out prompts (default: 100)")
    add.add_argument("--materials", type=int, metavar="N", help="materials of each kind (default: 256)")
    add.add_argument(
        "--steps", type=_numbers, metavar="N,...", help="guided steps (default: 0,12,30,100,300)"
    )
    add.add_argument(
        "--starts", type=_words, metavar="START,...",
        help="of auto, exemplar, prior, codes (default: auto,prior,codes)",
    )  # fmt: skip
    add.add_argument("--variations", type=int, metavar="N", help="of each prompt (default: 4)")
    add.add_argument("--diverse", type=int, metavar="N", help="prompts with 8 variations (default: 8)")
    add.add_argument("--out", type=Path, metavar="FILE", help="figures as JSON (default: beside the weights)")
    add.add_argument(
        "--report", type=Path, default=ROOT / "starter", metavar="DIR", help="where REPORT.md goes"
    )
    add.add_argument(
        "--rewrite", action="store_true", help="measure nothing: write REPORT.md anew from the figures"
    )


def evaluate(options: argparse.Namespace) -> int:
    """Measures a pack; writes the figures and REPORT.md after every part. Other parts' figures stay."""
    from rich.console import Console

    from engine.compute import choose
    from engine.material import files
    from engine.models import packs
    from engine.starter import record
    from engine.starter.evaluation import parts, report as writing
    from engine.starter.evaluation.bench import Bench, Sizes
    from engine.starter.training import pipeline
    from engine.starter.trials import record as trials

    console = Console(stderr=True)
    out = options.out or pipeline.WEIGHTS / writing.FIGURES
    if options.rewrite:
        path = writing.write(writing.read(out), options.report, trials.read(pipeline.WEIGHTS))
        console.print(f"Written: {path}", markup=False, soft_wrap=True)
        return 0
    wanted = options.parts or parts.PARTS
    if strange := [name for name in wanted if name not in parts.PARTS]:
        raise InvalidRequest(
            f"There is no part {strange[0]!r}. Parts: {', '.join(parts.PARTS)}.", field="parts"
        )
    files.check_file(out)
    for folder in (options.work, options.report, options.report / writing.PICTURES):
        files.check_folder(folder)
    _set_up(options.threads)
    pack = packs.load(options.pack, choose(options.device))
    families = record.read(pipeline.WEIGHTS).families
    names = ("prompts", "materials", "steps", "starts", "variations", "diverse")
    sizes = Sizes(**{name: value for name in names if (value := getattr(options, name)) is not None})
    report = writing.Report(
        pack=pack.id, sha256=pack.hashes, families=families, machine=pipeline.machine(pack.compute)
    ).going_on(out)
    with console.status("loading") as status:
        bench = Bench(
            pack, families, options.work, options.report / writing.PICTURES, sizes, say=status.update
        )
        for measured in parts.measure(bench, report, wanted):
            files.write_bytes(out, f"{measured.model_dump_json(indent=2)}\n".encode())
            writing.write(measured, options.report, trials.read(pipeline.WEIGHTS))
    console.print(f"Written: {options.report / writing.FILE}", markup=False, soft_wrap=True)
    return 0


def trial_arguments(add: argparse.ArgumentParser) -> None:
    """Declares the options of `trial`."""
    add.add_argument("trial", metavar="TRIAL", help="teacher, robust, judge or prior")
    add.add_argument(
        "--work", type=Path, default=Path(".cache/training"), metavar="DIR",
        help="the training set; with the same folder, a trial goes on where it stopped",
    )  # fmt: skip
    add.add_argument("--steps", type=int, default=300, metavar="N", help="of training, each (default: 300)")
    add.add_argument("--materials", type=int, default=256, metavar="N", help="held-out, to name")
    add.add_argument("--prompts", type=int, default=12, metavar="N", help="that pictures are made of")
    add.add_argument("--variations", type=int, default=2, metavar="N", help="of each prompt")
    add.add_argument("--device", default="auto", metavar="D", help="auto, cpu, cuda or mps")
    add.add_argument("--threads", type=int, metavar="N", help="CPU threads (default: PyTorch's choice)")


def trial(options: argparse.Namespace) -> int:
    """Trains both variants of a trial, measures them, and enters what came of it in REPORT.md."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from engine.compute import choose
    from engine.material import files
    from engine.models import packs
    from engine.starter import record
    from engine.starter.data import Materials
    from engine.starter.evaluation import report as writing
    from engine.starter.evaluation.bench import Bench, Sizes
    from engine.starter.training import pipeline
    from engine.starter.trials import record as trials
    from engine.starter.trials.place import Place
    from engine.starter.trials.run import TRIALS, run

    if options.trial not in TRIALS:
        raise InvalidRequest(
            f"There is no trial {options.trial!r}. Trials: {', '.join(TRIALS)}.", field="trial"
        )
    for folder in (options.work, pipeline.WEIGHTS, ROOT / "starter"):
        files.check_folder(folder)
    _set_up(options.threads)
    pack = packs.load("starter", choose(options.device))
    families = record.read(pipeline.WEIGHTS).families
    sizes = Sizes(prompts=options.prompts, materials=options.materials, variations=options.variations)
    columns = (TextColumn("{task.description:16}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        tasks: dict[str, Any] = {}

        def show(name: str, step: int, of: int) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(name, total=of)
            bar.update(tasks[name], completed=step)

        bench = Bench(pack, families, options.work / "evaluation", options.work, sizes)
        place = Place(Materials.open(options.work / "train"), bench, pipeline.WEIGHTS, options.work)
        done = run(options.trial, place, options.steps, show, pipeline.machine(pack.compute))
    found = trials.enter(pipeline.WEIGHTS, options.trial, done)
    measured = writing.read(pipeline.WEIGHTS / writing.FIGURES)
    writing.write(measured, ROOT / "starter", found)
    return 0


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(word) for word in text.split(","))


def _set_up(threads: int | None) -> None:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    logging.getLogger("engine").setLevel(logging.INFO)  # open_clip tells every step to the root logger
    if threads is not None:
        import torch

        torch.set_num_threads(threads)
    os.environ.setdefault("OMP_NUM_THREADS", str(threads or os.cpu_count() or 1))
