"""How a sidebar looks, held to how it looked: pictures cut out and compared, tile by tile, with stored ones.

Fonts, theme and driver are fixed by Debian's packages, so that only another version of Blender, or of the
panels, changes pixels at all. A mean over the sidebar would hide a word that is cut; the worst tile does not.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops, PngImagePlugin

STEADY = {  # states in which nothing moves, by the part of `shots` that plays them
    "first-day": ("first start", "installing", "ready", "in use", "refused", "past"),
    "library": ("library empty", "library found", "library", "failed", "error", "spanish", "spanish applied"),
}  # not "missing", which shows the user's folder and the room there
MASKS = {  # what does change: left, top, right, bottom in pixels of the sidebar
    "installing": (0, 28, 10_000, 80),  # the bar, and what the installer is at
}
REFERENCES = Path(__file__).with_name("reference")
TILE = 16  # pixels of a tile's side: two or three letters of a line
OTHER = 40  # of 255: pixels that differ by more are others. Storing with few colours changes them by less
BOUND = 2.0
"""Percent of a tile's pixels that may be others. Measured in 5.2: the same state drawn again 0, stored with
few colours 0 to 0.8; one letter hidden 5, the last one of "Generate" cut 10."""
MARGIN = slice(11, 15)  # pixels of a panel from the left: no widget reaches there, and its colour is even
HEADER_Y, LARGEST_GAP = 16, 6
COLOURS = 128  # that a stored picture keeps


class OtherVersionWarning(UserWarning):
    """Nothing was compared: no picture of this version of Blender is stored."""


@dataclass(frozen=True)
class Look:
    """One state of the sidebar.

    Attributes:
        version: of the Blender that drew it.
        picture: RGB, without the empty part below the last panel.
    """

    version: str
    picture: Image.Image

    @classmethod
    def of(cls, pictures: Path, state: str) -> Look:
        """Cut out of the picture that a scenario took."""
        noted = json.loads((pictures / "places.json").read_text())
        whole = Image.open(pictures / f"{state}.png").convert("RGB")
        return cls(noted["version"], without_empty_end(whole.crop(noted["sidebars"][state])))

    @classmethod
    def stored(cls, file: Path) -> Look:
        """As `store` wrote it."""
        image = Image.open(file)
        return cls(image.info["Blender"], image.convert("RGB"))

    def store(self, file: Path) -> None:
        """Write a small PNG that knows the version."""
        file.parent.mkdir(parents=True, exist_ok=True)
        about = PngImagePlugin.PngInfo()
        about.add_text("Blender", self.version)
        small = self.picture.quantize(COLOURS, dither=Image.Dither.NONE)
        small.save(file, optimize=True, pnginfo=about)

    def difference(self, other: Look, state: str = "") -> float:
        """The worst tile's share of pixels that are others, 0..100 %; what one picture lacks counts in full.

        Args:
            other: a picture of the same state.
            state: whose mask is left out.
        """
        width = max(self.picture.width, other.picture.width)
        height = max(self.picture.height, other.picture.height)
        both = [on_canvas(look.picture, width, height, MASKS.get(state)) for look in (self, other)]
        others = np.abs(both[0] - both[1]) > OTHER
        rows, columns = others.shape[0] // TILE, others.shape[1] // TILE
        tiles = others.reshape(rows, TILE, columns, TILE).mean((1, 3))
        return float(100 * tiles.max())


def reference(blender: str, state: str) -> Path:
    """Where a stored picture is."""
    return REFERENCES / blender / f"{state.replace(' ', '_')}.png"


def without_empty_end(sidebar: Image.Image) -> Image.Image:
    """Ends it with the last panel. Below, the viewport shines through, which is none of the panel's looks."""
    margin = np.asarray(sidebar.convert("L"), np.int16)[:, MARGIN]
    even = np.ptp(margin, axis=1) == 0
    panel = np.flatnonzero(even & (margin[:, 0] <= margin[HEADER_Y, 0]))  # a panel in a panel is darker
    gaps = np.flatnonzero(np.diff(panel) > LARGEST_GAP)
    end = int(panel[gaps[0]] if len(gaps) else panel[-1]) + 1
    return sidebar.crop((0, 0, sidebar.width, end))


def on_canvas(
    picture: Image.Image, width: int, height: int, mask: tuple[int, int, int, int] | None = None
) -> np.ndarray:
    """Grey, int16, sides rounded up to whole tiles; black where the picture ends before, and in the mask."""
    canvas = Image.new("L", (-(-width // TILE) * TILE, -(-height // TILE) * TILE))
    canvas.paste(picture.convert("L"))
    if mask is not None:
        canvas.paste(0, mask)
    return np.asarray(canvas, np.int16)


def save_trouble(folder: Path, state: str, shown: Look, before: Look) -> list[Path]:
    """Both pictures, and where they differ, for somebody to look at. Returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    size = (
        max(shown.picture.width, before.picture.width),
        max(shown.picture.height, before.picture.height),
    )
    both = [Image.new("RGB", size) for _ in range(2)]
    both[0].paste(shown.picture)
    both[1].paste(before.picture)
    images = {"shown": shown.picture, "reference": before.picture, "difference": ImageChops.difference(*both)}
    files = [folder / f"{state} {name}.png" for name in images]
    for file, image in zip(files, images.values(), strict=True):
        image.save(file)
    return files
