"""The training set as the prior sees it: grids of codes from the finished generator."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine.compute import Compute
from engine.models.vqgan import TORUS, VQGAN
from engine.starter.data import Materials
from engine.starter.training.loop import rng

VERSIONS = 2
"""Grids of each material, moved by any number of pixels: a pattern meets the grid in many ways."""

SHARD = 256
SEED = 47


def folder(work: Path, generator: VQGAN) -> Path:
    """Where a generator's codes are kept. Another encoder, other codes: they do not mix."""
    digest = hashlib.sha256()
    for key, value in sorted(generator.state_dict().items()):
        if key.startswith(("encoder.", "quant_conv.", "quantize.")):
            digest.update(value.cpu().numpy().tobytes())
    return work / f"codes-{digest.hexdigest()[:12]}"


def encode(
    data: Materials, generator: VQGAN, folder: Path, compute: Compute, batch: int = 8
) -> Iterator[int]:
    """Encodes what is not in the folder yet; yields how many materials each finished file holds.

    Files are `codes_00000.npy`, uint16 (n, VERSIONS, h, w).
    """
    folder.mkdir(parents=True, exist_ok=True)
    for first in range(0, len(data), SHARD):
        count = min(SHARD, len(data) - first)
        path = folder / f"codes_{first // SHARD:05d}.npy"
        if not path.exists():
            grids = np.stack(list(_grids(data, generator, range(first, first + count), compute, batch)))
            partial = path.with_suffix(".part")
            with partial.open("wb") as file:
                np.save(file, grids)
            partial.replace(path)
        yield count


@torch.no_grad()
def _grids(
    data: Materials, generator: VQGAN, indices: range, compute: Compute, batch: int
) -> Iterator[np.ndarray]:
    for start in range(indices.start, indices.stop, batch):
        part = np.arange(start, min(start + batch, indices.stop))
        versions = []
        for k in range(VERSIONS):
            x = data.batch(part, rng(SEED, start, f"codes/{k}"), data.size_px).to(compute.device)
            with compute.autocast():
                z = generator.encode(x, TORUS)
            versions.append(generator.nearest(z).cpu().numpy().astype(np.uint16))
        yield from np.stack(versions, 1)


@dataclass(frozen=True)
class Grids:
    """All grids of a folder, (N, VERSIONS, h, w) uint16."""

    codes: np.ndarray

    @classmethod
    def open(cls, folder: Path) -> Grids:
        """Reads every finished file."""
        return cls(np.concatenate([np.load(path) for path in sorted(folder.glob("codes_*.npy"))]))

    def batch(self, indices: np.ndarray, draw: np.random.Generator) -> Tensor:
        """One version of each material, rolled at random: (B, h, w) int64."""
        version = draw.integers(0, self.codes.shape[1], len(indices))
        grids = self.codes[indices, version].astype(np.int64)
        shifts = draw.integers(0, grids.shape[1:], (len(indices), 2))
        rolled = [np.roll(grid, tuple(by), (0, 1)) for grid, by in zip(grids, shifts, strict=True)]
        return torch.from_numpy(np.stack(rolled))

    def commonness(self, n: int) -> Tensor:
        """Logarithm of how often each of n codes is used, (n,).

        Priors begin with it: functions of a code's place find slowly that its neighbours are never used.
        """
        counts = torch.from_numpy(np.bincount(self.codes.ravel(), minlength=n))
        return ((counts + 1) / (counts.sum() + n)).log()
