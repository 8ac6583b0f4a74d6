"""How good the starter pack is, measured on materials and prompts that training never saw."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # the field's name for it

from engine.material.seams import seam_score
from engine.models.guide import Clip
from engine.models.packs import Pack
from engine.models.vqgan import TORUS
from engine.settings import RunSettings
from engine.starter import captions, dataset
from engine.starter.data import Materials, noun
from engine.starter.embedding import embed
from engine.starter.materials import COLOURS
from engine.synthesis.decode import maps_of
from engine.synthesis.run import Synthesis, synthesize


@dataclass(frozen=True)
class Namer:
    """Zero-shot naming: which of all "COLOUR NOUN" texts lies nearest to a picture."""

    clip: Clip
    families: tuple[str, ...]
    texts: Tensor  # (families · colours, D)

    @classmethod
    def of(cls, clip: Clip, families: tuple[str, ...]) -> Namer:
        """Encodes every pair of a family's noun and a colour."""
        pairs = itertools.product(families, COLOURS)
        texts = clip.encode_text([f"{colour} {noun(family)}" for family, colour in pairs])
        return cls(clip, families, texts)

    def __call__(self, embeddings: Tensor) -> list[tuple[str, str]]:
        """Unit image embeddings (N, D) → family and colour of each.

        The family is the one whose best colour fits best; the colour is the best of that family.
        """
        best = (embeddings @ self.texts.T).argmax(-1).tolist()
        return [(self.families[b // len(COLOURS)], COLOURS[b % len(COLOURS)]) for b in best]


def embed_materials(data: Materials, indices: np.ndarray, clip: Clip) -> Tensor:
    """Base colours of materials → unit embeddings (N, D)."""
    rows = []
    for part in np.array_split(indices, math.ceil(len(indices) / 32)):
        x = torch.stack([torch.from_numpy(data.crop(int(i), 0, 0, data.size_px)) for i in part])
        rows.append(embed(x[..., :3].permute(0, 3, 1, 2).float() / 255, clip))
    return torch.cat(rows)


def naming(data: Materials, clip: Clip, families: tuple[str, ...], limit: int = 512) -> dict[str, float]:
    """Shares of pictures whose material, one of these families, and colour a CLIP names right."""
    indices = np.arange(min(limit, len(data)))
    named = Namer.of(clip, families)(embed_materials(data, indices, clip))
    pairs = [(name, data.params[i]) for name, i in zip(named, indices, strict=True)]
    return {
        "pictures": len(pairs),
        "family": float(np.mean([family == p["family"] for (family, _), p in pairs])),
        "colour": float(np.mean([colour == p["colour"] for (_, colour), p in pairs])),
    }


@torch.no_grad()
def reconstruction(data: Materials, pack: Pack, limit: int = 64) -> dict[str, Any]:
    """PSNR (dB) of every map through the codes, share of codes used, seam score of what comes back."""
    scalars = ("height", "roughness", "metallic", "emission")
    names = ("basecolor", *(name for name in scalars if name in pack.channels))
    error, seams, used = torch.zeros(len(names)), [], set()
    draw = np.random.default_rng(5)
    count = min(limit, len(data))
    for i in range(count):
        x = data.batch(np.array([i]), draw, data.size_px)
        codes = pack.generator.codes_of(x.to(pack.compute.device), TORUS)
        y = pack.generator.decode(pack.generator.lookup(codes), TORUS).cpu()
        true, back = maps_of(x, pack.channels), maps_of(y, pack.channels)
        error += torch.stack([(getattr(true, n) - getattr(back, n)).square().mean() for n in names])
        used.update(codes.flatten().tolist())
        seams.append(float(seam_score(back, "xy")))
    psnr = -10 * (error / count).log10()
    return {
        "psnr": dict(zip(names, psnr.tolist(), strict=True)),
        "codes_used": len(used) / pack.generator.cfg.n_embed,
        "seam_median": float(np.median(seams)),
        "seam_max": max(seams),
    }


def prompts(families: tuple[str, ...], limit: int, seed: int = 7) -> list[tuple[str, str]]:
    """Pairs (family, colour) that training never saw together, as far as there are enough."""
    held = sorted(captions.held_out(families), key=lambda p: (p[0], COLOURS.index(p[1])))
    draw = np.random.default_rng(seed)
    return [held[i] for i in draw.permutation(len(held))[:limit]]


def whole(
    pack: Pack, families: tuple[str, ...], pairs: list[tuple[str, str]], **overrides: Any
) -> Iterator[dict[str, Any]]:
    """Runs prompts through the engine; the judge names what came out. One record a prompt."""
    namer = Namer.of(pack.judge, families)
    for family, colour in pairs:
        prompt = f"{colour} {noun(family)}"
        settings = RunSettings(**{"prompt": prompt, "seed": 100, "variations": 2, **overrides})
        result = _finish(settings, pack)
        best = result.maps.basecolor[result.order[:1]]
        px = (pack.judge.size_px, pack.judge.size_px)
        seen = pack.judge.encode_image(F.interpolate(best, px, mode="bilinear", antialias=True))
        named = namer(seen)[0]
        first = result.order[0]
        yield {
            "prompt": prompt,
            "family": named[0] == family,
            "colour": named[1] == colour,
            "judge": float(result.judge_scores[first]),
            "guide": float(result.guide_scores[first]),
            "seam": float(seam_score(result.maps, "xy").max()),
        }


def everything(
    pack: Pack, families: tuple[str, ...], work: Path, count: int, say: Callable[[str], None]
) -> dict[str, Any]:
    """All figures of a pack: naming, reconstruction, and the whole engine on unseen prompts.

    Args:
        pack: the networks to measure.
        families: that they were trained on.
        work: folder for rendered materials; what is there already is used again.
        count: prompts for the whole engine.
        say: told what is being done, for people.
    """
    sets = {"seen": (10_000_000, 512, False), "held_out": (20_000_000, 256, True)}
    data = {}
    for name, (seed, size, held_out) in sets.items():
        specs = dataset.plan(
            work / name, size, first_seed=seed, size=256, held_out=held_out, families=families
        )
        for _ in dataset.write(specs):
            say(f"rendering materials: {name}")
        data[name] = Materials.open(work / name)
    report: dict[str, Any] = {"naming": {}, "whole": {}}
    for role in ("guide", "judge"):
        say(f"naming materials: {role}")
        report["naming"][role] = {name: naming(d, getattr(pack, role), families) for name, d in data.items()}
    say("through the codes and back")
    report["reconstruction"] = reconstruction(data["held_out"], pack)
    for steps in (0, RunSettings.model_fields["steps"].default):
        records = []
        for record in whole(pack, families, prompts(families, count), steps=steps):
            records.append(record)
            say(f"prompts with {steps} guided steps: {len(records)} of {count}")
        report["whole"][f"{steps} steps"] = summary(records)
    return report


def summary(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Shares, means and the worst seam over the records of `whole`."""
    return {
        "prompts": len(records),
        "family": float(np.mean([r["family"] for r in records])),
        "colour": float(np.mean([r["colour"] for r in records])),
        "judge": float(np.mean([r["judge"] for r in records])),
        "guide": float(np.mean([r["guide"] for r in records])),
        "seam_max": max(r["seam"] for r in records),
        "records": records,
    }


def _finish(settings: RunSettings, pack: Pack) -> Synthesis:
    run = synthesize(settings, pack)
    while True:
        try:
            next(run)
        except StopIteration as end:
            result: Synthesis = end.value
            return result
