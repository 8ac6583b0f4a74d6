"""GALLERY.md: of each feature what was asked, as the command to type, and its sheet."""

from __future__ import annotations

from pathlib import Path

from engine.gallery.make import Workshop, as_typed
from engine.gallery.plan import Feature, Piece, Plan

PAGE = "GALLERY.md"
BEGIN = """\
# Gallery

Every picture here is what the engine made of the command beside it, with the starter pack, on a CPU, all
with one seed. The words are such as the starter knows. To make them all again, which goes on where
it was stopped:

    python engine gallery --out gallery

The commands are typed in one folder, with `engine` for the path of Patina's folder of that name. The masks
disc.png and band.png, white on black, are in the gallery's work folder; every other file is the result of a
command further up.
"""


def page(plan: Plan, shop: Workshop, out: Path) -> str:
    """The text of GALLERY.md, of all features whose sheets are in a folder and whose pieces are finished."""
    shown = [f for f in plan.features if (out / f"{f.name}.jpg").is_file() and _finished(f, shop)]
    return "\n".join([BEGIN, *(_section(feature, plan, shop) for feature in shown)])


def _finished(feature: Feature, shop: Workshop) -> bool:
    return all(shop.summary(name) is not None for row in feature.rows for name in row.pieces)


def _section(feature: Feature, plan: Plan, shop: Workshop) -> str:
    typed = [f"    {_typed(plan.pieces[row.piece], shop)}" for row in feature.rows]
    lines = (f"## {feature.title}", "", feature.about, "", *typed, "")
    return "\n".join([*lines, f"![{feature.title}]({feature.name}.jpg)", ""])


def _typed(piece: Piece, shop: Workshop) -> str:
    """What to type, from within the folder that the pieces lie in."""
    words = [Path(word).as_posix() if Path(word).suffix else word for word in shop.typed(piece, Path())]
    return as_typed(["python", "engine", *words, "--out", piece.name])
