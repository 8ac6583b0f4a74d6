"""A picture or a stored result as maps to begin from, at the size of a run."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import cast

import torch
from torch import Tensor

from engine.material.from_picture import maps_from_picture
from engine.material.maps import DecodedMaps, luminance
from engine.material.relief import encode_relief
from engine.material.resize import resized
from engine.material.seams import SEAMLESS, s99
from engine.models.packs import Pack
from engine.models.vqgan import Wrap
from engine.settings import RunSettings
from engine.starter.drawing import draw_maps
from engine.starter.materials import Params, another
from engine.synthesis.decode import maps_of
from engine.synthesis.edits import Edits, Stored
from engine.synthesis.recipes import called

RECIPE = re.compile(r"exemplar (\d+)(?:, draw (\d+))?: (.+)")
"""The origin of a result that was drawn from an exemplar's recipe, whole; by its own seed unless it says."""


@torch.no_grad()
def base_maps(s: RunSettings, edits: Edits, pack: Pack, wrap: Wrap) -> DecodedMaps:
    """What `edits` say to begin from, as a batch of one on the pack's device, at the size of the run.

    A picture knows only its colours: the other maps are the estimator's, or by formula where the pack has
    none, and light is taken off it. Where it shall tile and does not, what jumps at its border is evened out.
    """
    if edits.stored is not None:
        return enlarged(edits.stored, s, pack, wrap)
    assert edits.picture is not None
    picture = edits.picture[None].to(pack.compute.device)
    wants = [wrap[i] and float(s99(luminance(picture), axis)) > SEAMLESS for i, axis in enumerate((-2, -1))]
    return maps_from_picture(periodic(picture, (wants[0], wants[1])).clamp(0, 1), pack.estimator, wrap)


def enlarged(stored: Stored, s: RunSettings, pack: Pack, wrap: Wrap) -> DecodedMaps:
    """A stored result at the size of the run.

    Where it was drawn from a recipe that the pack still has, detail that its pixels could not show comes
    from the recipe drawn at the new size: what that has beyond the same, drawn at the old size and enlarged.
    """
    maps = DecodedMaps(**{name: x.to(pack.compute.device) for name, x in vars(stored.maps).items()})
    old = maps.height.shape[-2:]
    if tuple(old) == (s.height, s.width):
        return maps
    planes = channels_of(maps, NAMES)
    larger = resized(planes, s.height, s.width, wrap)
    known = recipe_of(stored, pack)
    if known is not None and s.height * old[1] == s.width * old[0]:
        coarse, fine = (
            draw_maps(known.recipe, NAMES, h, w).to(larger) for h, w in (old, (s.height, s.width))
        )
        larger = larger + fine - resized(coarse[None], s.height, s.width, wrap)
    return replace(maps_of(larger.clamp(0, 1), NAMES), relief=maps.relief)


@dataclass(frozen=True)
class Remembered:
    """A recipe, the exemplar that it is of, and the seed by which it was laid out."""

    recipe: Params
    exemplar: int
    draw: int


def recipe_of(stored: Stored, pack: Pack) -> Remembered | None:
    """What a result was drawn from; None if it was not, or the pack remembers something else by now."""
    same = stored.sha256.get("exemplars") == pack.hashes.get("exemplars")
    return remembered(stored.origin, stored.seed, pack) if same else None


def remembered(origin: str, seed: int, pack: Pack) -> Remembered | None:
    """The recipe that an origin names, of a variation of this seed; None if it names none."""
    found = RECIPE.fullmatch(origin)
    if found is None or pack.exemplars is None or int(found[1]) >= len(pack.exemplars.recipes):
        return None
    i, draw = int(found[1]), int(found[2] or seed)
    recipe = called(another(cast("Params", pack.exemplars.recipes[i]), draw), found[3])
    return None if recipe is None else Remembered(recipe, i, draw)


NAMES = ("red", "green", "blue", "height", "roughness", "metallic", "emission", "relief")


def channels_of(maps: DecodedMaps, channels: tuple[str, ...]) -> Tensor:
    """The inverse of `maps_of`: maps → (B, C, H, W), 0..1, in the order of `channels`."""
    relief = torch.tensor([encode_relief(float(r)) for r in maps.relief], device=maps.height.device)
    channel = {name: maps.basecolor[:, i : i + 1] for i, name in enumerate(("red", "green", "blue"))}
    channel |= {name: getattr(maps, name) for name in ("height", "roughness", "metallic", "emission")}
    channel["relief"] = relief.view(-1, 1, 1, 1).expand_as(maps.height).to(maps.height)
    return torch.cat([channel[name] for name in channels], 1)


def periodic(x: Tensor, axes: Wrap) -> Tensor:
    """Pictures (B, C, H, W) without the jump from one border to the opposite one, along these axes.

    The periodic component x - s, where s is smooth: Δs on the torus is the jump, at the border, and 0
    elsewhere. Far from a border that jumps little changes, and what does not jump hardly anywhere.

    Source: Moisan, "Periodic plus smooth image decomposition", 2011.
    """
    v = torch.zeros_like(x)
    for axis, wanted in zip((-2, -1), axes, strict=True):
        if wanted:
            jump = x.select(axis, -1) - x.select(axis, 0)
            v.select(axis, 0).add_(jump)
            v.select(axis, -1).sub_(jump)
    H, W = x.shape[-2:]
    y, z = torch.fft.fftfreq(H, device=x.device)[:, None], torch.fft.rfftfreq(W, device=x.device)
    laplacian = 2 * torch.cos(2 * torch.pi * y) + 2 * torch.cos(2 * torch.pi * z) - 4
    laplacian[0, 0] = 1  # the mean of v is 0, so of s too
    return x - torch.fft.irfft2(torch.fft.rfft2(v) / laplacian, s=(H, W))
