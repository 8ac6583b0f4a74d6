"""How well maps are estimated from pictures: an estimator and the classical formulas against the truth."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.compute import Compute
from engine.material.from_picture import maps_from_picture
from engine.material.maps import DecodedMaps, normal_from_height
from engine.material.shading import random_lights, shade
from engine.models.estimator import Estimator
from engine.models.vqgan import TORUS
from engine.starter.data import Materials
from engine.starter.training.estimator import true_maps

RELIEFS = tuple(0.001 * 1.35**k for k in range(17))
"""Strengths that the classical height is tried with: 0.001 to 0.12."""

MAPS = ("basecolor", "height", "roughness", "metallic")


def views(data: Materials, limit: int, *, lit: bool, seed: int = 3) -> Iterator[tuple[Tensor, DecodedMaps]]:
    """Whole materials, one after the other: picture (1, 3, S, S), and the maps that it shows.

    They are spread over all of `data`, lit from another side each, and the same in every call.
    """
    draw, light = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    for i in np.linspace(0, len(data) - 1, min(limit, len(data))).round().astype(int):
        x = data.batch(np.array([i]), draw, data.size_px)
        truth = true_maps(x, data.size_px)
        yield (shade(truth, random_lights(light, 1), TORUS) if lit else truth.basecolor), truth


def degrees_apart(maps: DecodedMaps, truth: DecodedMaps) -> float:
    """Mean angle between the normals that two surfaces have."""
    a, b = (normal_from_height(m.height, m.relief, TORUS) * 2 - 1 for m in (maps, truth))
    return math.degrees(float((a * b).sum(1).clamp(-1, 1).arccos().mean()))


@torch.no_grad()
def best_relief(seen: Materials, limit: int, *, lit: bool) -> float:
    """The one strength with which classical heights give the best normals on materials of training."""
    errors = np.zeros(len(RELIEFS))
    for picture, truth in views(seen, limit, lit=lit):
        maps = maps_from_picture(picture, None)
        errors += [degrees_apart(_with_relief(maps, r), truth) for r in RELIEFS]
    return RELIEFS[int(errors.argmin())]


@torch.no_grad()
def estimation(
    seen: Materials, held_out: Materials, estimator: Estimator, compute: Compute, limit: int = 128
) -> dict[str, Any]:
    """Errors of the estimator and of the classical formulas on materials that training never saw.

    Args:
        seen: materials of training, on which the formulas get the one strength that suits them best.
        held_out: materials to measure on.
        estimator: on `compute`'s device.
        compute: where it runs.
        limit: how many materials of each set are looked at.

    Returns:
        For "lit" and "unlit" pictures: by "estimator", "classical" and "flat" (no relief at all), the mean
        angle between normals in degrees and the mean absolute error of every map; the strength
        ("classical_relief"), and the share of the classical angle that the estimator leaves ("angle_ratio").
    """
    report: dict[str, Any] = {"materials": min(limit, len(held_out))}
    for name, lit in (("lit", True), ("unlit", False)):
        relief = best_relief(seen, limit, lit=lit)
        rows: dict[str, list[dict[str, float]]] = {"estimator": [], "classical": [], "flat": []}
        for picture, truth in views(held_out, limit, lit=lit):
            classical = _with_relief(maps_from_picture(picture, None), relief)
            estimated = _on_cpu(maps_from_picture(picture.to(compute.device), estimator))
            rows["estimator"].append(_errors(estimated, truth))
            rows["classical"].append(_errors(classical, truth))
            rows["flat"].append({"degrees": degrees_apart(_with_relief(classical, 0.0), truth)})
        means = {
            who: {k: float(np.mean([r[k] for r in found])) for k in found[0]} for who, found in rows.items()
        }
        ratio = means["estimator"]["degrees"] / max(means["classical"]["degrees"], 1e-9)
        report[name] = {**means, "classical_relief": relief, "angle_ratio": ratio}
    return report


def _errors(maps: DecodedMaps, truth: DecodedMaps) -> dict[str, float]:
    errors = {name: float((getattr(maps, name) - getattr(truth, name)).abs().mean()) for name in MAPS}
    return {"degrees": degrees_apart(maps, truth), **errors}


def _with_relief(maps: DecodedMaps, relief: float) -> DecodedMaps:
    return replace(maps, relief=torch.full_like(maps.relief, relief))


def _on_cpu(maps: DecodedMaps) -> DecodedMaps:
    return DecodedMaps(*(getattr(maps, name).cpu() for name in (*MAPS, "emission", "relief")))
