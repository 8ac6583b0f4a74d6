"""What is wrong with a picture, in numbers: what a CLIP may like, and no one else does.

Pictures are (B, 3, H, W), sRGB, 0..1; Y is their luminance. A measure does not depend on the other rows, and
is taken on the CPU in double precision, so that a report does not differ between devices.

Source, unless a measure says otherwise: research/materials.md 2.4, formulas and thresholds.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # the field's name for it

from engine.material.maps import luminance

BINS = 64
"""Rings of the spectrum, of equal width, from 0 to half a cycle a pixel."""

BLOCKS = 4
TINY = 1e-9
LEVEL = 1 / 255

FLAT = 0.004
"""Deviation of Y below which there is nothing to see, and ratios to it say nothing."""


def measures(pictures: Tensor) -> dict[str, Tensor]:
    """All measures by name, (B,) each, float64, on the CPU.

    - contrast: deviation of Y.
    - clipped: share of pixels that are pure black or pure white.
    - slope: of log power over log frequency, from 4 cycles a picture to 0.35 a pixel: steep is blurred.
    - hf_excess: mean log10 power over 0.36 cycles a pixel, less the line that fits 0.04..0.25: noise.
    - hf_peak: log10 of the largest over the median power above 0.3 cycles a pixel; fine weaves have it, too.
    - checkerboard: amplitude of what alternates from pixel to pixel, by rows, columns or both.
    - chroma_hf: high-pass deviation of colour over that of Y: speckles of colour.
    - sharpness: variance of Y's Laplacian over that of Y.
    - unevenness: deviation between 4 x 4 blocks over that within the picture, of Y, Y² and both gradients:
      above 0.5 it is a picture of something and not a texture.
    """
    x = pictures.detach().cpu().double()
    Y = luminance(x)[:, 0]
    power = torch.fft.fft2(Y - Y.mean((1, 2), keepdim=True)).abs().square()
    lines = _lines(power)
    slope, _ = _fit(lines, 4 / min(Y.shape[-2:]), 0.35)
    return {
        "contrast": Y.std((1, 2), correction=0),
        "clipped": ((x.amax(1) < LEVEL) | (x.amin(1) > 1 - LEVEL)).double().mean((1, 2)),
        "slope": slope,
        "hf_excess": _excess(lines),
        "hf_peak": _peak(power),
        "checkerboard": _alternating(Y),
        "chroma_hf": _chroma(x, Y),
        "sharpness": _laplacian(Y).var((1, 2)) / (Y.var((1, 2)) + TINY),
        "unevenness": _unevenness(Y),
    }


FLAGS: tuple[tuple[str, str, float, float], ...] = (
    ("crushed", "clipped", -torch.inf, 0.5),
    ("blurred", "sharpness", 0.03, torch.inf),
    ("noisy", "hf_excess", -torch.inf, 0.4),
    ("noisy", "sharpness", -torch.inf, 8.0),  # strong noise has no excess, as the line is its own; alone, 20
    ("checkerboard", "checkerboard", -torch.inf, 0.01),
    ("speckled", "chroma_hf", -torch.inf, 1.1),
    ("uneven", "unevenness", -torch.inf, 0.55),
)
"""Flags, each with its measure, and the least and the most that goes unflagged.

Of one material of each of the starter's 75 families, at 128 px, one is flagged: coloured edges look like
speckles. Less than the source's 0.6 would flag nine.
"""


def flags(found: dict[str, Tensor]) -> list[tuple[str, ...]]:
    """What of `measures` is out of bounds, for each picture: "flat" alone, or any of `FLAGS`, in order."""
    named: list[tuple[str, ...]] = []
    for i in range(len(found["contrast"])):
        if found["contrast"][i] < FLAT:
            named.append(("flat",))
            continue
        out = [name for name, of, low, high in FLAGS if not low <= float(found[of][i]) <= high]
        named.append(tuple(dict.fromkeys(out)))
    return named


def _frequencies(H: int, W: int) -> Tensor:
    """Cycles a pixel of every coefficient of fft2, (H, W)."""
    fy, fx = torch.fft.fftfreq(H, dtype=torch.float64), torch.fft.fftfreq(W, dtype=torch.float64)
    return torch.hypot(*torch.meshgrid(fy, fx, indexing="ij"))


def _lines(power: Tensor) -> tuple[Tensor, Tensor]:
    """Frequencies (n,) of the rings that have any coefficient, and their mean power (B, n)."""
    ring = (_frequencies(*power.shape[-2:]) / 0.5 * BINS).long().flatten()
    inside = ring < BINS
    total = power.new_zeros(len(power), BINS)
    total.index_add_(1, ring[inside], power.flatten(1)[:, inside])
    count = torch.bincount(ring[inside], minlength=BINS)
    there = count > 0
    middle = (torch.arange(BINS, dtype=torch.float64) + 0.5) / BINS * 0.5
    return middle[there], (total[:, there] / count[there]).clamp(min=1e-20)


def _fit(lines: tuple[Tensor, Tensor], low: float, high: float) -> tuple[Tensor, Tensor]:
    """Slope and offset, (B,) each, of the line through log10 power over log10 frequency within a band."""
    f, p = lines
    band = (f > low) & (f < high)
    x, y = f[band].log10(), p[:, band].log10()
    spread = x - x.mean()
    slope = (y * spread).sum(1) / spread.square().sum()
    return slope, y.mean(1) - slope * x.mean()


def _excess(lines: tuple[Tensor, Tensor]) -> Tensor:
    slope, offset = _fit(lines, 0.04, 0.25)
    f, p = lines
    high = f > 0.36
    expected = slope[:, None] * f[high].log10() + offset[:, None]
    return (p[:, high].log10() - expected).mean(1)


def _peak(power: Tensor) -> Tensor:
    high = power[:, _frequencies(*power.shape[-2:]) > 0.3]
    return (high.amax(1) / high.median(1).values.clamp(min=1e-20)).clamp(min=1e-20).log10()


def _alternating(Y: Tensor) -> Tensor:
    """Our own, as `hf_peak` is as large on weaves: only what has the period of the pixels counts."""
    rows, columns = (1 - 2 * (torch.arange(n, dtype=Y.dtype) % 2) for n in Y.shape[-2:])
    by_rows, by_columns = Y.mean(2) @ rows / len(rows), Y.mean(1) @ columns / len(columns)
    both = torch.einsum("bhw,h,w->b", Y, rows, columns) / (len(rows) * len(columns))
    return torch.stack([by_rows, by_columns, both]).abs().amax(0)


def _chroma(x: Tensor, Y: Tensor) -> Tensor:
    grey = _high_pass(Y[:, None]).std((1, 2, 3), correction=0)
    return _high_pass(x - Y[:, None]).std((1, 2, 3), correction=0) / (grey + TINY)


def _high_pass(x: Tensor) -> Tensor:
    """x (B, C, H, W) less the mean of 3 x 3 pixels, around the border."""
    return x - F.avg_pool2d(F.pad(x, (1, 1, 1, 1), "circular"), 3, stride=1)


def _laplacian(Y: Tensor) -> Tensor:
    around = sum(Y.roll(by, axis) for by in (1, -1) for axis in (1, 2))
    return around - 4 * Y


def _unevenness(Y: Tensor) -> Tensor:
    H, W = (n // BLOCKS for n in Y.shape[-2:])
    down, right = (Y.roll(-1, 1) - Y).abs(), (Y.roll(-1, 2) - Y).abs()
    found = []
    for of in (Y, Y.square(), down, right):
        blocks = F.avg_pool2d(of[:, None], (H, W)).flatten(1)
        found.append(blocks.std(1, correction=0) / (of.std((1, 2), correction=0) + TINY))
    return torch.stack(found).mean(0)
