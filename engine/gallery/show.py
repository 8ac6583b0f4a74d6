"""A whole gallery: the pieces that are missing, then the sheets of what is finished, and the page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from engine.gallery import sheets
from engine.gallery.make import Workshop
from engine.gallery.page import PAGE, page
from engine.gallery.plan import Feature, Plan
from engine.material import files


def show(plan: Plan, features: Sequence[Feature], shop: Workshop, out: Path) -> Iterator[str]:
    """Make features of a plan. A sheet is drawn as soon as all its pieces are there, and the page with it.

    Args:
        plan: what there is.
        features: those of it that are asked for.
        shop: where pieces are made and kept.
        out: for the sheets and GALLERY.md.

    Yields:
        A line for a person after every piece and sheet.

    Raises:
        PatinaError: what a run raises, or a folder that does not take files.
    """
    for feature in features:
        pieces = [name for row in feature.rows for name in row.pieces]
        for name, new in shop.make(dict.fromkeys(pieces)):
            yield f"{name}: {'made' if new else 'as it was'}"
        path = out / f"{feature.name}.jpg"
        sheets.write(sheets.sheet(feature, plan, shop), path)
        files.write_bytes(out / PAGE, page(plan, shop, out).encode())
        yield str(path)
