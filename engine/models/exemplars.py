"""Exemplars: materials that a pack remembers as recipes, found by what they look like.

Retrieval as a prior, after kNN-Diffusion (Sheynin et al. 2022) and retrieval-augmented diffusion (Blattmann
et al. 2022): layout that a small network cannot invent yet is recalled, and what is made of it is new.
"""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn
from torch.nn import functional as F  # the field's name for it


class ExemplarsConfig(BaseModel):
    """How much is remembered.

    Attributes:
        count: of exemplars.
        records_bytes: length of their names and recipes.
        key_dim: of the guide's embeddings.
        colour_axes: how many directions of that space tell colours apart rather than materials.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int
    records_bytes: int
    key_dim: int
    colour_axes: int = 0


NAMED = 2.0
"""How much more the name of an exemplar tells of it than its picture: bricks are not meant to be wet."""

MATERIAL = 0.2
"""Share of what a thing is without its colour in how near an exemplar is: red tiles may become blue ones."""


class Exemplars(nn.Module):
    """Names and recipes, keys in the space of the guide, and its orthonormal axes of colour.

    Recipes decide results, so they lie among the weights, which a pack's hash covers: JSON in bytes.
    """

    records: Tensor
    keys: Tensor
    colour: Tensor

    def __init__(self, cfg: ExemplarsConfig) -> None:
        super().__init__()
        self.cfg = cfg
        self.register_buffer("records", torch.zeros(cfg.records_bytes, dtype=torch.uint8))
        self.register_buffer("keys", torch.zeros(cfg.count, cfg.key_dim))
        self.register_buffer("colour", torch.zeros(cfg.colour_axes, cfg.key_dim))

    @classmethod
    def of(cls, names: list[str], recipes: list[dict[str, Any]], keys: Tensor, colour: Tensor) -> Exemplars:
        """Remembers materials.

        Args:
            names: of each, as a person would call it.
            recipes: of each, the parameters from which `engine.starter.materials` draws it, at any size.
            keys: (count, D), in the space of the guide.
            colour: orthonormal axes of colour (colour_axes, D).
        """
        records = json.dumps([names, recipes], separators=(",", ":")).encode()
        cfg = ExemplarsConfig(
            count=len(names), records_bytes=len(records), key_dim=keys.shape[1], colour_axes=len(colour)
        )
        made = cls(cfg)
        made.records.copy_(torch.frombuffer(bytearray(records), dtype=torch.uint8))
        made.keys.copy_(keys)
        made.colour.copy_(colour)
        return made

    @cached_property
    def _remembered(self) -> tuple[list[str], list[dict[str, Any]]]:
        names, recipes = json.loads(bytes(self.records.cpu().numpy()))
        return names, recipes

    @property
    def names(self) -> list[str]:
        """Of each exemplar, as a person would call it."""
        return self._remembered[0]

    @property
    def recipes(self) -> list[dict[str, Any]]:
        """Of each exemplar, the parameters from which it is drawn."""
        return self._remembered[1]

    def near(self, text: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """The exemplars nearest to an embedding (D,): indices and nearness, both (count,), best first.

        Nearness, at most 1, is the cosine in part of all and in part of what is left without colour.
        """
        nearness = self.nearness(text)
        best = nearness.topk(min(count, len(nearness)))
        return best.indices, best.values

    def nearness(self, text: Tensor) -> Tensor:
        """Of every exemplar to an embedding (D,): see `near`."""
        keys = F.normalize(self.keys, dim=-1)
        colourless = F.normalize(self.without_colour(keys), dim=-1) @ F.normalize(
            self.without_colour(text), dim=-1
        )
        return (1 - MATERIAL) * keys @ text + MATERIAL * colourless

    def seen(self, index: Tensor, meant: Tensor) -> Tensor:
        """What the guide saw in exemplars (N,) that are meant to be `meant` (N, D): unit vectors (N, D).

        A key k is the direction of x + 2 m, with x what was seen and m what is meant, of length 1. So
        x = a k - 2 m, with the a at which that has length 1: a² - 4 a k·m + 3 = 0.
        """
        k, m = F.normalize(self.keys[index], dim=-1), F.normalize(meant, dim=-1)
        half = NAMED * (k * m).sum(-1, keepdim=True)
        a = half + (half.square() - NAMED**2 + 1).clamp(min=0).sqrt()
        return F.normalize(a * k - NAMED * m, dim=-1)

    def without_colour(self, x: Tensor) -> Tensor:
        """Embeddings (..., D), less what tells colours apart."""
        return x - x @ self.colour.T @ self.colour
