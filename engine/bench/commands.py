"""`bench` on the command line."""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from engine.bench.cases import Case, plan
from engine.errors import InvalidRequest, PatinaError

if TYPE_CHECKING:  # the command line must not wait for torch and rich
    from rich.console import Console

    from engine.bench.compare import Comparison
    from engine.bench.measure import Figures

CHECKOUT = Path(__file__).parents[2]
JSON, PLOT = "bench.json", "bench.png"


def bench_arguments(add: argparse.ArgumentParser) -> None:
    """Declares the options of `bench`."""
    add.add_argument("--quick", action="store_true", help="fewer cases and steps: one minute instead of four")
    add.add_argument(
        "--out", type=Path, default=Path("patina-out/bench"), metavar="DIR",
        help=f"folder for {JSON} and {PLOT} (default: patina-out/bench)",
    )  # fmt: skip
    add.add_argument(
        "--device", default="auto", metavar="D",
        help="auto, cpu, cuda or mps (default: auto, the CPU and a GPU if there is one)",
    )  # fmt: skip
    add.add_argument("--threads", type=int, metavar="N", help="CPU threads (default: PyTorch's choice)")
    add.add_argument(
        "--search", action="store_true",
        help="time searches among 100,000 textures and a million instead, with made-up vectors",
    )  # fmt: skip


def bench(options: argparse.Namespace) -> int:
    """Measures the published loop and ours, and writes a table, a JSON file and a plot."""
    from rich.console import Console

    if options.threads is not None and options.threads < 1:
        raise InvalidRequest(f"--threads must be at least 1; {options.threads} was given.", field="threads")
    if options.search:
        return search(options.threads, Console())
    from engine.material.files import check_folder

    check_folder(options.out)
    cases = plan(_devices(options.device), quick=options.quick, threads=options.threads)
    report(cases, options.out, Console(), Console(stderr=True))
    return 0


def search(threads: int | None, console: Console) -> int:
    """Measures searches in the library and prints the table."""
    import torch

    from engine.bench.search import table
    from engine.library.bench import bench as measure

    if threads is not None:
        torch.set_num_threads(threads)
    console.print(table(measure()))
    return 0


def report(cases: Sequence[Case], out: Path, console: Console, progress: Console) -> None:
    """Measures cases, prints the table and writes the files. Every task needs both of its loops.

    Raises:
        PatinaError: a case cannot be measured.
        CannotWrite: the folder does not take files.
    """
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    measured = []
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=progress) as bar:
        task = bar.add_task("", total=len(cases))
        for case in cases:
            bar.update(task, description=f"{case.task}: {case.loop}")
            measured.append(in_a_fresh_process(case))
            bar.advance(task)
    from engine.bench.compare import compare
    from engine.bench.table import table

    comparisons = compare(measured)
    console.print(table(comparisons))
    write(comparisons, out)
    console.print(f"In {out.resolve()}: {JSON}, {PLOT}", markup=False, soft_wrap=True)


def in_a_fresh_process(case: Case) -> Figures:
    """Measures a case where nothing ran before.

    Raises:
        PatinaError: it ended without figures; the details are its last words.
    """
    from engine.bench.measure import Figures

    threads = {} if case.threads is None else {"OMP_NUM_THREADS": str(case.threads)}
    done = subprocess.run(
        [sys.executable, "-m", "engine.bench"],
        input=case.model_dump_json().encode(),
        capture_output=True,
        cwd=CHECKOUT,
        env={**os.environ, **threads},
        check=False,
    )
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip()
        last = said.rpartition("\n")[2] or f"code {done.returncode}"
        raise PatinaError(f"{case.task}: {case.loop} could not be measured: {last}", details=said)
    return Figures.model_validate_json(done.stdout)


def write(comparisons: Sequence[Comparison], out: Path) -> None:
    """Writes the JSON file and the plot.

    Raises:
        CannotWrite: the folder does not take files.
    """
    import torch

    from engine import __version__
    from engine.bench.plot import plot
    from engine.material.files import write_bytes

    about = {
        "patina": __version__,
        "torch": str(torch.__version__),
        "machine": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "comparisons": [c.as_dict() for c in comparisons],
    }
    write_bytes(out / JSON, json.dumps(about, indent=2).encode() + b"\n")
    png = io.BytesIO()
    plot(comparisons).save(png, "PNG")
    write_bytes(out / PLOT, png.getvalue())


def _devices(wanted: str) -> list[str]:
    """The devices to measure on. Raises DeviceUnavailable for one that is not here."""
    from engine import compute

    if wanted != "auto":
        return [compute.choose(wanted).device.type]
    return [str(d["id"]) for d in compute.devices()]
