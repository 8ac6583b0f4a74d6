"""How a sidebar looks, held to how it looked: pictures cut out, made small, compared with stored ones.

Fonts, theme and driver are fixed by Debian's packages, so that only another version of Blender, or of the
panels, changes more than a few pixels.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops, PngImagePlugin

STEADY = ("first start", "ready")  # states in which nothing moves
REFERENCES = Path(__file__).with_name("reference")
SMALLER = 4  # by this the pictures are reduced: letters' edges are the driver's own
BOUND = 1.5  # mean absolute difference, of 255: a word that changes brings about 0.1, a row more, 3
MARGIN = slice(11, 15)  # pixels of a panel from the left: no widget reaches there, and its colour is even
HEADER_Y, LARGEST_GAP = 16, 6
COLOURS = 48  # that a stored picture keeps


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

    def difference(self, other: Look) -> float:
        """Mean absolute difference of both, grey and reduced, 0..255; what one lacks counts in full."""
        width = max(self.picture.width, other.picture.width)
        height = max(self.picture.height, other.picture.height)
        small = [reduced(look.picture, width, height) for look in (self, other)]
        return float(np.abs(small[0] - small[1]).mean())


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


def reduced(picture: Image.Image, width: int, height: int) -> np.ndarray:
    """Grey, (height / SMALLER, width / SMALLER), float in 0..255; black where the picture ends before."""
    canvas = Image.new("L", (width, height))
    canvas.paste(picture.convert("L"))
    return np.asarray(canvas.reduce(SMALLER), np.float64)


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
