"""What is measured rather than read: does it tile, is light baked in; and what only some models can tell."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from engine.library.calibration import Curve
from engine.library.tagging import classify
from engine.material.maps import DecodedMaps, luminance, srgb_to_linear
from engine.material.seams import SEAMLESS, seam_score
from engine.models.guide import Clip

Answer = Literal["yes", "no", "unknown"]

LIGHT_PX = 256
DIRECTIONS = 8
DARKEST = 1e-3
SURE = 0.8
"""How probable an answer of a CLIP has to be to count."""

LETTERING = ("a photo of text and lettering", "a texture without any letters")
OBJECT = ("a photo of an object", "a flat texture that fills the picture")


@dataclass(frozen=True)
class Seams:
    """Seam scores along both axes: S99, `SEAMLESS` at most where the picture repeats without a cut."""

    x: float
    y: float

    @property
    def seamless(self) -> bool:
        """Whether it repeats along both axes."""
        return max(self.x, self.y) <= SEAMLESS


@dataclass(frozen=True)
class Badges:
    """The facts about a texture that are no words.

    Attributes:
        seam_x, seam_y: S99 scores; see `engine.material.seams`.
        seamless: whether both are good.
        light: "lit", "flat" or "unknown".
        lettering: whether letters are on it.
        object: whether it shows a thing rather than a surface.
    """

    seam_x: float
    seam_y: float
    seamless: bool
    light: Literal["lit", "flat", "unknown"]
    lettering: Answer
    object: Answer

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def badges(
    picture: Tensor, height: Tensor | None, view: Tensor, whole: Tensor, rule: Curve | None, clip: Clip
) -> Badges:
    """All of them.

    Args:
        picture: (3, H, W), sRGB, 0..1.
        height: (1, h, w), 0..1, of the same surface, or None.
        view: (3, S, S), of the picture, as large as those that the rule was fitted on.
        whole: its embedding, (D,).
        rule: how light is told; None where nobody fitted one.
        clip: the model that is asked about the rest.
    """
    found = seams(picture, height)
    return Badges(
        seam_x=round(found.x, 3),
        seam_y=round(found.y, 3),
        seamless=found.seamless,
        light="unknown" if rule is None else light(view, whole, rule),
        lettering=ask(clip, whole, LETTERING),
        object=ask(clip, whole, OBJECT),
    )


def seams(picture: Tensor, height: Tensor | None = None) -> Seams:
    """Seam scores of a picture (3, H, W), and of the height (1, h, w) that belongs to it."""
    score = {"x": 0.0, "y": 0.0}
    for basecolor, h in [(picture, None)] + ([] if height is None else [(height.expand(3, -1, -1), height)]):
        flat = basecolor.new_zeros(1, 1, *basecolor.shape[-2:]) if h is None else h[None]
        maps = DecodedMaps(basecolor[None], flat, flat, flat, flat, flat.new_zeros(1))
        for axis in ("x", "y"):
            if min(basecolor.shape[-2:]) > 2:
                score[axis] = max(score[axis], float(seam_score(maps, axis)))
    return Seams(**score)


def light(picture: Tensor, whole: Tensor, rule: Curve) -> Literal["lit", "flat", "unknown"]:
    """Whether a picture (3, H, W) shows light and shadow, or colour alone; "unknown" between the two."""
    p = float(rule(light_features(picture, whole)[None])[0])
    return "lit" if p >= SURE else "flat" if p <= 1 - SURE else "unknown"


def light_features(picture: Tensor, whole: Tensor) -> Tensor:
    """What differs between a picture of a lit surface and its bare colour, (7 + D,).

    Light changes brightness and leaves hue alone, makes highlights and shadows, is slanted (slopes that
    face it are bright, and fall off steeper on one side than on the other), and fades across a surface.

    Args:
        picture: (3, H, W), sRGB, 0..1.
        whole: its embedding (D,), as a guide that was shown both kinds may see more than formulas do.
    """
    step = max(1, min(picture.shape[-2:]) // LIGHT_PX)
    x = srgb_to_linear(picture[:, ::step, ::step]).clamp(min=DARKEST)[None]
    bright = luminance(x)[0, 0].log()
    hue = x[0].log() - x[0].log().mean(0)
    tonal, chromatic = (_energy(t) for t in (bright[None], hue))
    low, middle, high = bright.flatten().quantile(bright.new_tensor([0.01, 0.5, 0.99])).tolist()
    slant = torch.stack([_skew(_slope(bright, k)) for k in range(DIRECTIONS)])
    blocks = torch.nn.functional.adaptive_avg_pool2d(bright[None], 4)
    grey = (x[0].amax(0) - x[0].amin(0)) / x[0].amax(0)
    brightest = bright >= high
    measured = torch.stack(
        [
            chromatic / (tonal + chromatic + 1e-6),
            bright.new_tensor(high - middle),
            bright.new_tensor(middle - low),
            (slant - slant.roll(DIRECTIONS // 2)).abs().amax() / 2,
            blocks.std(),
            grey.mean() - grey[brightest].mean(),
            bright.std(),
        ]
    )
    return torch.cat([measured, whole.to(measured)])


def ask(clip: Clip, whole: Tensor, answers: tuple[str, str]) -> Answer:
    """Whether the first of two texts is true of a picture rather than the second.

    "unknown" where the model is not sure, and always where it was taught materials only: it has never
    seen a letter or a cat, and would answer at random.

    Args:
        clip: any CLIP.
        whole: its embedding of the picture, (D,).
        answers: what to say yes to, and no.
    """
    if clip.known is not None:
        return "unknown"
    yes, no = classify(clip, whole[None], answers)[0].tolist()
    return "yes" if yes >= SURE else "no" if no >= SURE else "unknown"


def _energy(x: Tensor) -> Tensor:
    """Mean square of the steps between neighbours, (C, H, W) → ()."""
    return x.diff(dim=-1).square().sum(0).mean() + x.diff(dim=-2).square().sum(0).mean()


def _slope(x: Tensor, k: int) -> Tensor:
    """Steps of a picture (H, W) in the k-th of eight directions."""
    dy, dx = ((0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1))[k]
    return x.roll((-dy, -dx), (0, 1))[1:-1, 1:-1] - x[1:-1, 1:-1]


def _skew(x: Tensor) -> Tensor:
    """Third standardised moment of all values."""
    x = x - x.mean()
    return x.pow(3).mean() / (x.square().mean().sqrt() + 1e-6).pow(3)
