"""What the command line says of a finished run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

MIB = 1 << 20


def show(console: Console, summary: Mapping[str, Any], folder: str) -> None:
    """Print what came of a run, and where it is."""
    if "variations" in summary:
        _show_variations(console, summary)
    else:
        frames = f"{len(summary['frames'])} frames and {summary['animation']}"
        console.print(f"{frames} (seed {summary['seed']})", markup=False, highlight=False)
    console.print(f"In {folder}", markup=False, highlight=False, soft_wrap=True)


def _show_variations(console: Console, summary: Mapping[str, Any]) -> None:
    from rich.table import Table
    from rich.text import Text

    title = f"{summary['prompt']}  (seed {summary['seed']}, {summary['seconds']['total']:.1f} s)"
    table = Table(title=Text(title))  # as text, for brackets in a prompt are no styles
    for heading in ("rank", "judge", "guide", "seam", "relief", "base colour"):
        table.add_column(heading, justify="left" if heading == "base colour" else "right")
    for v in summary["variations"]:
        scores = (f"{v[name]:.3f}" for name in ("judge_score", "guide_score", "seam", "relief"))
        table.add_row(str(v["rank"]), *scores, v["files"]["basecolor"])
    console.print(table, markup=False)
    if line := memory(summary):
        console.print(line, markup=False)
    for note in notes(summary):
        console.print(note, markup=False)
    for warning in summary["warnings"]:
        console.print(f"Note: {warning}", markup=False)


def memory(summary: Mapping[str, Any]) -> str:
    """Estimated and used memory in a line; empty where neither is known."""
    named = {"used": "{:,.0f} MiB used", "estimated": "{:,.0f} MiB estimated"}
    known = summary["memory"]
    parts = [text.format(known[name] / MIB) for name, text in named.items() if known[name] is not None]
    return f"Memory: {', '.join(parts)}" if parts else ""


def notes(summary: Mapping[str, Any]) -> list[str]:
    """A line each for how different the variations are, what repeats another and what is wrong with one."""
    variations = summary["variations"]
    lines = []
    if len(variations) > 1:
        lines.append(f"Diversity: {summary['diversity']:.2f} of {len(variations)} (1: all alike)")
    for v in variations:
        faults = [f"nearly repeats {v['repeats']}"] if v["repeats"] is not None else []
        faults += v["artefacts"]
        if faults:
            lines.append(f"Rank {v['rank']}: {', '.join(faults)}")
    return lines
