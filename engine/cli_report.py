"""What the command line says of a finished run below its table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MIB = 1 << 20


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
