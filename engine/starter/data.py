"""Rendered materials as training batches: memory-mapped shards in, tensors out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine.material.relief import encode_relief
from engine.starter import dataset
from engine.starter.materials import COLOURS, FAMILIES, REGISTRY, Params

CHANNELS = ("red", "green", "blue", "height", "roughness", "metallic", "emission", "relief")
"""What the channels of `Materials.batch` are, and what the starter's generator decodes."""


def labels(params: Params) -> tuple[int, int]:
    """Indices of a material's family and colour."""
    return FAMILIES.index(params["family"]), COLOURS.index(params["colour"])


def noun(family: str) -> str:
    """What a family is called first."""
    return REGISTRY[family].nouns[0]


@dataclass(frozen=True)
class Materials:
    """All shards of a folder.

    Attributes:
        maps: one memory-mapped array (n, H, W, 7) uint8 a shard.
        params: what every material was made from, in the same order.
        reliefs: (N,) float32, encoded 0..1.
        supersampling: how many times larger they were drawn.
    """

    maps: list[np.ndarray]
    params: list[Params]
    reliefs: np.ndarray
    supersampling: int

    @classmethod
    def open(cls, folder: Path) -> Materials:
        """Opens every finished shard of a folder."""
        maps: list[np.ndarray] = []
        params: list[Params] = []
        reliefs: list[float] = []
        for shard, records in dataset.load(folder):
            maps.append(shard)
            params += [r["params"] for r in records]
            reliefs += [encode_relief(r["relief"]) for r in records]
        if not maps:
            raise FileNotFoundError(f"No finished shards in {folder}; make some with engine.starter.dataset.")
        return cls(maps, params, np.asarray(reliefs, np.float32), dataset.supersampling(folder))

    def __len__(self) -> int:
        return len(self.params)

    @property
    def size_px(self) -> int:
        """Side of the rendered tiles."""
        return int(self.maps[0].shape[1])

    def crop(self, index: int, top: int, left: int, side: int) -> np.ndarray:
        """A wrapped square of one material, (side, side, 7) uint8."""
        shard, within = self._locate(index)
        rows, columns = np.arange(top, top + side), np.arange(left, left + side)
        whole = np.asarray(self.maps[shard][within])
        return whole.take(rows, 0, mode="wrap").take(columns, 1, mode="wrap")

    def batch(self, indices: np.ndarray, draw: np.random.Generator, side: int) -> Tensor:
        """Random wrapped crops, half of them mirrored left to right, (B, 8, side, side) float32 in 0..1.

        Not turned: captions and recipes know what is upright, as boards, strata and shingles are.
        """
        out = torch.empty(len(indices), len(CHANNELS), side, side)
        for row, index in enumerate(indices):
            top, left = draw.integers(0, self.size_px, 2)
            x = self.crop(int(index), int(top), int(left), side)
            if draw.random() < 0.5:
                x = x[:, ::-1]
            out[row, :-1] = torch.from_numpy(np.ascontiguousarray(x)).permute(2, 0, 1).float() / 255
            out[row, -1] = float(self.reliefs[index])
        return out

    def _locate(self, index: int) -> tuple[int, int]:
        for shard, array in enumerate(self.maps):
            if index < len(array):
                return shard, index
            index -= len(array)
        raise IndexError(index)
