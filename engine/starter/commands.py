"""`train` and `evaluate` on the command line."""

from __future__ import annotations

import argparse
import json
import logging
import os
from pathlib import Path

STAGES = ("materials", "guide", "judge", "generator", "decoder", "estimator", "prior", "exemplars")
SMOKE_SCALE = 0.02
SMOKE_MATERIALS = 256


def train_arguments(add: argparse.ArgumentParser) -> None:
    """Declares the options of `train`."""
    add.add_argument(
        "stages", nargs="*", metavar="STAGE", help=f"of {', '.join(STAGES)}, in that order (default: all)"
    )
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
    add.add_argument("--smoke", action="store_true", help="a fiftieth of everything, to see that it runs")


def train(options: argparse.Namespace) -> int:
    """Trains the wanted stages and, where all networks are there, enters them in the catalogue."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from engine.compute import choose
    from engine.errors import InvalidRequest
    from engine.starter.materials import FAMILIES
    from engine.starter.training import pipeline

    unknown = [s for s in options.stages if s not in STAGES]
    if unknown:
        raise InvalidRequest(
            f"There is no stage {unknown[0]!r}. Stages: {', '.join(STAGES)}.", field="stages"
        )
    families = tuple(sorted(options.families.split(","))) if options.families else FAMILIES
    if strange := [name for name in families if name not in FAMILIES]:
        raise InvalidRequest(
            f"There is no material {strange[0]!r}. Materials: {', '.join(FAMILIES)}.", field="families"
        )
    _set_up(options.threads)
    plan = pipeline.Plan(
        work=options.work,
        weights=options.out or pipeline.WEIGHTS,
        compute=choose(options.device),
        materials=SMOKE_MATERIALS if options.smoke else pipeline.MATERIALS,
        families=families,
        scale=SMOKE_SCALE if options.smoke else 1.0,
    )
    columns = (TextColumn("{task.description:10}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    figures = TextColumn("{task.fields[figures]}")
    with Progress(*columns, figures, console=Console(stderr=True)) as bar:
        tasks = {}
        for name, step, total, values in pipeline.stages(plan, tuple(options.stages or STAGES)):
            if name not in tasks:
                tasks[name] = bar.add_task(name, total=total, figures="")
            text = "  ".join(f"{k} {v:.3f}" for k, v in values.items())
            bar.update(tasks[name], completed=step, total=total, figures=text)
    if options.out is None:
        pipeline.write_catalogue_entry()
    return 0


def evaluate_arguments(add: argparse.ArgumentParser) -> None:
    """Declares the options of `evaluate`."""
    add.add_argument("--work", type=Path, default=Path(".cache/evaluation"), metavar="DIR", help="shards")
    add.add_argument("--pack", default="starter", metavar="NAME", help="the networks to measure")
    add.add_argument("--device", default="auto", metavar="D", help="auto, cpu, cuda or mps")
    add.add_argument("--threads", type=int, metavar="N", help="CPU threads (default: PyTorch's choice)")
    add.add_argument("--prompts", type=int, default=16, metavar="N", help="prompts for the whole engine")
    add.add_argument(
        "--out", type=Path, metavar="FILE", help="figures as JSON (default: the pack's own report)"
    )


def evaluate(options: argparse.Namespace) -> int:
    """Measures a pack and writes the figures."""
    from rich.console import Console

    from engine.compute import choose
    from engine.models import packs
    from engine.starter import evaluate as measure, record
    from engine.starter.training import pipeline

    _set_up(options.threads)
    pack = packs.load(options.pack, choose(options.device))
    families = record.read(pipeline.WEIGHTS).families
    with Console(stderr=True).status("rendering materials that training never saw") as status:
        report = measure.everything(pack, families, options.work, options.prompts, say=status.update)
    out = options.out or pipeline.WEIGHTS / "evaluation.json"
    out.write_text(json.dumps(report, indent=2) + "\n", "utf-8")
    Console().print_json(json.dumps(report))
    return 0


def _set_up(threads: int | None) -> None:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    logging.getLogger("engine").setLevel(logging.INFO)  # open_clip tells every step to the root logger
    if threads is not None:
        import torch

        torch.set_num_threads(threads)
    os.environ.setdefault("OMP_NUM_THREADS", str(threads or os.cpu_count() or 1))
