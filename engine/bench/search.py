"""How fast the library's exact search is, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from engine import wording


def table(rows: Sequence[dict[str, Any]]) -> Table:
    """What `library.bench.bench` measured, in milliseconds beside what an artist does not notice."""
    made = Table(title="Exact search, by words, and by words and a picture among half of the textures")
    for name in ("textures", "memory", "words, ms", "both, ms", "limit, ms"):
        made.add_column(name, justify="right")
    for row in rows:
        times = (1000 * row[name] for name in ("words_s", "both_s"))
        limit = "-" if row["limit_s"] is None else f"{1000 * row['limit_s']:.0f}"
        held = wording.size(row["bytes"])
        made.add_row(f"{row['textures']:,}", held, *(f"{ms:.1f}" for ms in times), limit)
    return made
