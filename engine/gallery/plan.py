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

SUBJECTS = {
    "cobbles": "mossy cobblestones",
    "bricks": "red bricks",
    "denim": "blue denim",
    "parquet": "herringbone parquet",
    "rust": "rusty metal plate",
    "marble": "white marble with gold veins",
}
"""The six prompts, by the names of their plain pieces."""

WEIGHTED = {
    "cobbles": "snow:0.5",
    "bricks": "moss:0.6",
    "denim": "stains:0.8",
    "parquet": "dust:0.9",
    "rust": "blue paint:0.7",
    "marble": "cracks:0.9",
}
NEGATIVE = {
    "cobbles": (SUBJECTS["cobbles"], "moss"),
    "bricks": ("snowy mossy red bricks", "moss"),
    "denim": ("stained blue denim", "stains"),
    "parquet": ("dusty herringbone parquet", "dust"),
    "rust": ("blue painted rusty metal plate", "paint"),
    "marble": (SUBJECTS["marble"], "gold"),
}
"""Words that bring what the negative prompt takes away."""

PICTURES = {
    "cobbles": "{rust.png}",
    "bricks": "{denim.png}",
    "denim": "{bricks.png}:1:free",
    "parquet": "{marble.png}:1:free",
    "rust": "{cobbles.png}:2:free",
    "marble": "{parquet.png}",
}
PALETTES = {
    "cobbles": "black, beige",
    "bricks": "cream, teal, #36383b",
    "denim": "{rust.png}",
    "parquet": "{cobbles.png}",
    "rust": "white, green, black",
    "marble": "black, grey, red",
}
EDITS = {
    "cobbles": ("lava", "disc"),
    "bricks": ("green moss", "disc"),
    "denim": ("brown leather", "band"),
    "parquet": ("white marble", "disc"),
    "rust": ("scratched metal", "band"),
    "marble": ("rusty metal plate", "band"),
}
STRENGTHS = {
    "cobbles": "0.4",
    "bricks": "0.2",
    "denim": "0.8",
    "parquet": "0.8",
    "rust": "0.4",
    "marble": "0.2",
}
DIFFERENCES = {
    "cobbles": ("dry", "wet"),
    "bricks": ("clean", "mossy"),
    "denim": ("new", "faded"),
    "parquet": ("new", "dusty"),
    "rust": ("dry", "wet"),
    "marble": ("white", "green"),
}
WAYS = {
    "stones": ("bricks", "cobbles"),
    "cloth": ("denim", "marble"),
    "floors": ("parquet", "cobbles"),
    "metal": ("rust", "denim"),
    "veins": ("marble", "rust"),
    "walls": ("parquet", "bricks"),
}
SIZES = {"cobbles": 512, "bricks": 512, "denim": 1024, "parquet": 512, "rust": 1024, "marble": 1024}
STORIES = {
    "moss": "0%: red bricks | 100%: mossy red bricks",
    "rust": "0%: brushed steel | 100%: rusty metal plate",
    "snow": "0%: cobblestones | 100%: snow-covered cobblestones",
    "autumn": "0%: grass | 100%: grass covered in fallen leaves",
    "drought": "0%: wet mud | 100%: cracked mud",
    "paint": "0%: blue painted wood planks | 100%: wood planks",
}

MOST_NORMAL = 512
"""Side up to which large pieces are made in normal quality."""

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


def _without_negative(name: str) -> str:
    """The piece with the same words as a negative prompt's, and nothing to avoid."""
    return name if NEGATIVE[name][0] == SUBJECTS[name] else f"{name}_words"


def _pieces() -> tuple[Piece, ...]:
    """Every run, the plain ones first."""
    found = [Piece(name, ("generate", prompt, *ONE)) for name, prompt in SUBJECTS.items()]
    for name, prompt in SUBJECTS.items():
        source = f"{{{name}.json}}"
        words, mask = EDITS[name]
        full, less = NEGATIVE[name]
        before, after = DIFFERENCES[name]
        size = ("--size", str(SIZES[name]), *(("--quality", "draft") if SIZES[name] > MOST_NORMAL else ()))
        found += [
            Piece(f"{name}_weighted", ("generate", f"{prompt} | {WEIGHTED[name]}", *ONE)),
            Piece(f"{name}_negative", ("generate", full, "--negative", less, *ONE)),
            Piece(f"{name}_picture", ("generate", prompt, "--picture", PICTURES[name], *ONE)),
            Piece(f"{name}_palette", ("generate", prompt, "--palette", PALETTES[name], *ONE)),
            Piece(f"{name}_mask", ("refine", source, "--prompt", words, "--mask", f"{{{mask}.mask}}")),
            Piece(
                f"{name}_vary", ("vary", source, "--strength", STRENGTHS[name], "--variations", "3", *SEED)
            ),
            Piece(
                f"{name}_difference",
                ("vary", source, "--strength", "0", "--from", before, "--to", after, *ONE),
            ),
            Piece(f"{name}_large", ("generate", prompt, *size, *ONE)),
        ]
    found += [
        Piece(_without_negative(name), ("generate", full, *ONE))
        for name, (full, _) in NEGATIVE.items()
        if full != SUBJECTS[name]
    ]
    found += [
        Piece(f"way_{name}", ("interpolate", f"{{{a}.json}}", f"{{{b}.json}}", "--steps", "4", *SEED))
        for name, (a, b) in WAYS.items()
    ]
    found += [
        Piece(f"story_{name}", ("story", scenes, "--frames", "5", *SEED)) for name, scenes in STORIES.items()
    ]
    return tuple(found)


def _as_asked(name: str) -> Row:
    return Row(
        name,
        (Shown(name, "colour", "base colour"), Shown(name, "tiled", "twice as wide and high"),
         Shown(name, "light", "lit")),
    )  # fmt: skip


def _varied(source: str, name: str) -> Row:
    ways = (Shown(name, "colour", f"variation {rank}", rank) for rank in (1, 2, 3))
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


def _pictured(name: str) -> Row:
    """Beside the plain result, the picture that was asked for."""
    picture = PICTURES[name].split("}")[0].strip("{").removesuffix(".png")
    return _beside(name, f"{name}_picture", "with it", Shown(picture, "colour", "the picture"))


def _wide(piece: str, view: View, label: str) -> Row:
    return Row(piece, (Shown(piece, view, label),))


FEATURES = (
    Feature(
        "words",
        "Words",
        "A prompt, and nothing else: one material each, on one seed.",
        tuple(map(_as_asked, SUBJECTS)),
    ),
    Feature(
        "weights",
        "Weights",
        "A second prompt with a weight, beside the first alone.",
        tuple(_beside(name, f"{name}_weighted", f"with {more}") for name, more in WEIGHTED.items()),
    ),
    Feature(
        "negative",
        "Negative prompts",
        "What it should not look like.",
        tuple(
            _beside(_without_negative(name), f"{name}_negative", f"without {less}")
            for name, (_, less) in NEGATIVE.items()
        ),
    ),
    Feature(
        "picture",
        "Picture prompts",
        "Words, and a picture to come near to.",
        tuple(map(_pictured, SUBJECTS)),
    ),
    Feature(
        "palette",
        "Palettes",
        "Words, and colours to come near to, by name or out of a picture.",
        tuple(
            _beside(name, f"{name}_palette", "with it", Shown(f"{name}_palette", "palette", "the palette"))
            for name in SUBJECTS
        ),
    ),
    Feature(
        "mask",
        "Masks",
        "Other words for the white part of a mask; the black part stays as it is.",
        tuple(
            _beside(
                name,
                f"{name}_mask",
                "edited",
                Shown(f"{name}_mask", "mask", "the mask"),
                before="the result",
            )
            for name in SUBJECTS
        ),
    ),
    Feature(
        "vary",
        "Variations",
        "More of a result's kind: nearer at a low strength, farther at a high one.",
        tuple(_varied(name, f"{name}_vary") for name in sorted(SUBJECTS, key=STRENGTHS.__getitem__)),
    ),
    Feature(
        "difference",
        "Differences of texts",
        "A result turned from one text to another, its layout kept.",
        tuple(_turned(name, f"{name}_difference") for name in SUBJECTS),
    ),
    Feature(
        "interpolate",
        "Interpolation",
        "The materials between two results.",
        tuple(_wide(f"way_{name}", "strip", "from one result to the other") for name in WAYS),
    ),
    Feature(
        "size",
        "Large, from coarse to fine",
        "From 512 pixels on, most steps are taken at half the size.",
        tuple(
            _large(name, f"{name}_large", f"at {side}")
            for name, side in sorted(SIZES.items(), key=lambda pair: pair[1])
        ),
    ),
    Feature(
        "story",
        "Stories",
        "Frames of a material that changes over time, each of them seamless.",
        tuple(_wide(f"story_{name}", "frames", "frame by frame") for name in STORIES),
    ),
)

GALLERY = Plan.of(_pieces(), FEATURES)
"""The whole."""
