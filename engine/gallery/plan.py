"""What the gallery shows, as data: the commands that are run, and the sheets made of what they leave.

A command is what a person would type, but for its --out. In it {cobbles.json} stands for the result of the
piece "cobbles", {cobbles.png} for its base colour, and {disc.mask} for a mask that is drawn beside them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

View = Literal["colour", "light", "tiled", "detail", "mask", "palette", "strip", "frames"]
"""What of a piece is shown: base colour whole, lit, repeated, or its middle pixel by pixel; the mask or the
colours that it was asked for; all materials of a way, or frames of a story, side by side."""

NAMED = re.compile(r"\{([a-z0-9_]+)\.(json|png|mask)\}")

COBBLES = "mossy cobblestones"
BRICKS = "red bricks"
DENIM = "blue denim"
PARQUET = "herringbone parquet"
RUST = "rusty metal plate"
MARBLE = "white marble with gold veins"

SEED = ("--seed", "7")
ONE = ("--variations", "1", *SEED)


@dataclass(frozen=True)
class Piece:
    """One run: a name for its folder, and the command without --out."""

    name: str
    command: tuple[str, ...]

    @property
    def needs(self) -> tuple[str, ...]:
        """The pieces whose files it takes."""
        found = (m for word in self.command for m in NAMED.finditer(word))
        return tuple(dict.fromkeys(m[1] for m in found if m[2] != "mask"))


@dataclass(frozen=True)
class Shown:
    """A picture on a sheet: of which piece, what, of which rank, and what stands below it."""

    piece: str
    view: View
    label: str
    rank: int = 1


@dataclass(frozen=True)
class Row:
    """What one command made, beside what it was made from."""

    piece: str
    shows: tuple[Shown, ...]

    @property
    def pieces(self) -> tuple[str, ...]:
        """All that it shows, in order."""
        return tuple(dict.fromkeys([self.piece, *(shown.piece for shown in self.shows)]))


@dataclass(frozen=True)
class Feature:
    """A sheet: its name for files and --only, its title, a sentence on what can be seen, and its rows."""

    name: str
    title: str
    about: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Plan:
    """Pieces by name, and the features that show them."""

    pieces: dict[str, Piece]
    features: tuple[Feature, ...]

    @classmethod
    def of(cls, pieces: tuple[Piece, ...], features: tuple[Feature, ...]) -> Plan:
        """A plan of these pieces, each with a name of its own."""
        named = {piece.name: piece for piece in pieces}
        assert len(named) == len(pieces), "two pieces have one name"
        return cls(named, features)


def _plain(name: str, prompt: str) -> Piece:
    return Piece(name, ("generate", prompt, *ONE))


def _beside(plain: str, piece: str, label: str, *asked: Shown, before: str = "the words alone") -> Row:
    """What a run gives beside what there was without it: first the latter, then what was asked for."""
    return Row(
        piece,
        (
            Shown(plain, "colour", before),
            *asked,
            Shown(piece, "colour", label),
            Shown(piece, "light", "lit"),
        ),
    )


PIECES = (
    _plain("cobbles", COBBLES),
    _plain("bricks", BRICKS),
    _plain("denim", DENIM),
    _plain("parquet", PARQUET),
    _plain("rust", RUST),
    _plain("marble", MARBLE),
    Piece("bricks_moss", ("generate", f"{BRICKS} | moss:0.6", *ONE)),
    Piece("rust_paint", ("generate", f"{RUST} | blue paint:0.7", *ONE)),
    Piece("cobbles_bare", ("generate", COBBLES, "--negative", "moss", *ONE)),
    Piece("marble_plain", ("generate", MARBLE, "--negative", "gold", *ONE)),
    Piece("bricks_picture", ("generate", BRICKS, "--picture", "{denim.png}", *ONE)),
    Piece("parquet_picture", ("generate", PARQUET, "--picture", "{marble.png}:1:free", *ONE)),
    Piece("bricks_palette", ("generate", BRICKS, "--palette", "cream, teal, #36383b", *ONE)),
    Piece("denim_palette", ("generate", DENIM, "--palette", "{rust.png}", *ONE)),
    Piece("bricks_mask", ("refine", "{bricks.json}", "--prompt", "green moss", "--mask", "{disc.mask}")),
    Piece("marble_mask", ("refine", "{marble.json}", "--prompt", RUST, "--mask", "{band.mask}")),
    Piece("cobbles_vary", ("vary", "{cobbles.json}", "--strength", "0.4", "--variations", "2", *SEED)),
    Piece("parquet_vary", ("vary", "{parquet.json}", "--strength", "0.8", "--variations", "2", *SEED)),
    Piece(
        "cobbles_difference",
        ("vary", "{cobbles.json}", "--strength", "0", "--from", "dry", "--to", "wet", *ONE),
    ),
    Piece(
        "bricks_difference",
        ("vary", "{bricks.json}", "--strength", "0", "--from", "clean", "--to", "mossy", *ONE),
    ),
    Piece("way_stones", ("interpolate", "{bricks.json}", "{cobbles.json}", "--steps", "4", *SEED)),
    Piece("way_cloth", ("interpolate", "{denim.json}", "{marble.json}", "--steps", "4", *SEED)),
    Piece("cobbles_512", ("generate", COBBLES, "--size", "512", *ONE)),
    Piece("marble_1024", ("generate", MARBLE, "--size", "1024", "--quality", "draft", *ONE)),
    Piece(
        "story_moss",
        ("story", "0%: red bricks | 100%: mossy red bricks", "--frames", "5", *SEED),
    ),
    Piece(
        "story_rust",
        ("story", "0%: brushed steel | 100%: rusty metal plate", "--frames", "5", *SEED),
    ),
)


def _as_asked(name: str) -> Row:
    return Row(
        name,
        (Shown(name, "colour", "base colour"), Shown(name, "tiled", "twice as wide and high"),
         Shown(name, "light", "lit")),
    )  # fmt: skip


def _varied(source: str, name: str) -> Row:
    ways = (Shown(name, "colour", f"variation {rank}", rank) for rank in (1, 2))
    return Row(name, (Shown(source, "colour", "the result"), *ways))


def _turned(source: str, name: str) -> Row:
    return Row(
        name,
        (Shown(source, "colour", "before"), Shown(name, "colour", "after"), Shown(name, "light", "lit")),
    )


def _large(small: str, large: str, label: str) -> Row:
    return Row(
        large,
        (Shown(small, "colour", "at 256"), Shown(large, "colour", label),
         Shown(large, "detail", "its middle, pixel by pixel"), Shown(large, "light", "lit")),
    )  # fmt: skip


FEATURES = (
    Feature(
        "words",
        "Words",
        "A prompt, and nothing else: one material each, on one seed.",
        tuple(_as_asked(name) for name in ("cobbles", "bricks", "denim", "parquet", "rust", "marble")),
    ),
    Feature(
        "weights",
        "Weights",
        "A second prompt with a weight, beside the first alone.",
        (
            _beside("bricks", "bricks_moss", "with moss:0.6"),
            _beside("rust", "rust_paint", "with blue paint:0.7"),
        ),
    ),
    Feature(
        "negative",
        "Negative prompts",
        "What it should not look like.",
        (
            _beside("cobbles", "cobbles_bare", "without moss"),
            _beside("marble", "marble_plain", "without gold"),
        ),
    ),
    Feature(
        "picture",
        "Picture prompts",
        "Words, and a picture to come near to.",
        (
            _beside("bricks", "bricks_picture", "with it", Shown("denim", "colour", "the picture")),
            _beside("parquet", "parquet_picture", "with it", Shown("marble", "colour", "the picture")),
        ),
    ),
    Feature(
        "palette",
        "Palettes",
        "Words, and colours to come near to, by name or out of a picture.",
        (
            _beside("bricks", "bricks_palette", "with it", Shown("bricks_palette", "palette", "the palette")),
            _beside("denim", "denim_palette", "with it", Shown("denim_palette", "palette", "the palette")),
        ),
    ),
    Feature(
        "mask",
        "Masks",
        "Other words for the white part of a mask; the black part stays as it is.",
        (
            _beside(
                "bricks",
                "bricks_mask",
                "edited",
                Shown("bricks_mask", "mask", "the mask"),
                before="the result",
            ),
            _beside(
                "marble",
                "marble_mask",
                "edited",
                Shown("marble_mask", "mask", "the mask"),
                before="the result",
            ),
        ),
    ),
    Feature(
        "vary",
        "Variations",
        "More of a result's kind: nearer at a low strength, farther at a high one.",
        (_varied("cobbles", "cobbles_vary"), _varied("parquet", "parquet_vary")),
    ),
    Feature(
        "difference",
        "Differences of texts",
        "A result turned from one text to another, its layout kept.",
        (_turned("cobbles", "cobbles_difference"), _turned("bricks", "bricks_difference")),
    ),
    Feature(
        "interpolate",
        "Interpolation",
        "The materials between two results.",
        (
            Row("way_stones", (Shown("way_stones", "strip", "from one result to the other"),)),
            Row("way_cloth", (Shown("way_cloth", "strip", "from one result to the other"),)),
        ),
    ),
    Feature(
        "size",
        "Large, from coarse to fine",
        "From 512 pixels on, most steps are taken at half the size.",
        (_large("cobbles", "cobbles_512", "at 512"), _large("marble", "marble_1024", "at 1024")),
    ),
    Feature(
        "story",
        "Stories",
        "Frames of a material that changes over time, each of them seamless.",
        (
            Row("story_moss", (Shown("story_moss", "frames", "frame by frame"),)),
            Row("story_rust", (Shown("story_rust", "frames", "frame by frame"),)),
        ),
    ),
)

GALLERY = Plan.of(PIECES, FEATURES)
"""The whole: ten minutes on two idle cores."""
