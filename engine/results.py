"""What a run leaves on the disk: maps and a sidecar for every variation, and what they all share."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import kornia
import open_clip
import torch

from engine import __version__, sources, verdict
from engine.library.results import Observer, Seen
from engine.material import files, seams
from engine.material.maps import DecodedMaps, ao_from_height, normal_from_height, normalise_height
from engine.models.guide import Clip
from engine.models.packs import Pack
from engine.models.vqgan import tile_axes
from engine.settings import RunSettings
from engine.synthesis import prompts
from engine.synthesis.run import Synthesis

SIDECAR_FORMAT = 1

Look = Callable[[Clip, DecodedMaps], Seen]

observer = Observer()
"""Of whatever this process makes: what a guide's tags are in numbers is worked out once."""


@torch.no_grad()
def write(
    result: Synthesis, settings: RunSettings, pack: Pack, folder: Path, tell: Callable[..., None], look: Look
) -> tuple[list[dict[str, Any]], dict[Path, Seen]]:
    """Derive the missing maps and write each variation, best first.

    Args:
        result: of the run.
        settings: of the run.
        pack: what made it.
        folder: where files go.
        tell: phase, step and total of what is done.
        look: guide and maps of one material → its tags and badges.

    Returns:
        The summary's `variations`, and by base colour file what was seen on each.

    Raises:
        CannotWrite: the folder does not take files.
    """
    wrap = tile_axes(settings.tile)
    # What a mask keeps keeps its heights: they have their scale already.
    maps = result.maps if settings.mask else normalise_height(result.maps)
    normal = normal_from_height(maps.height, maps.relief, wrap)
    ao = ao_from_height(maps.height, maps.relief, wrap)
    seam = seams.seam_score(maps, settings.tile)
    tell("maps", 1, 1)
    made, name = about(settings, pack), files.slug(prompts.title(settings.prompt))
    variations, seen = [], {}
    for rank, i in enumerate(result.order, 1):
        material = look(pack.guide, maps.select(i))
        facts = {
            "rank": rank,
            **verdict.of(result, i),
            "seam": float(seam[i]),
            "seed": result.seeds[i],
            "relief": float(maps.relief[i]),
            "origin": result.origins[i],
            **material.facts(),
        }
        if result.stopped_at and result.stopped_at[i] is not None:
            facts["stopped_at"] = result.stopped_at[i]
        sidecar = {**made, **facts, "diversity": round(result.ranking.diversity, 3), "variation": i}
        row = slice(i, i + 1)
        alpha = None if result.alpha is None else result.alpha[row]
        names = files.write_variation(
            folder, name, rank, maps.select(i), normal[row], ao[row], sidecar, alpha
        )
        variations.append({**facts, "files": names, "sidecar": files.sidecar_name(name, rank)})
        seen[folder / names["basecolor"]] = material
        tell("write", rank, len(result.order))
    return variations, seen


def about(settings: RunSettings, pack: Pack) -> Mapping[str, Any]:
    """What the sidecars of a run share: settings, files, networks, device and versions.

    No times, no paths but those asked for: equal runs, equal files.
    """
    return {
        "format": SIDECAR_FORMAT,
        "settings": settings.model_dump(mode="json"),
        **sources.hashes(settings),
        "pack": {"id": pack.id, "sha256": pack.hashes},
        **({"guides": {guide.name: guide.sha256 for guide in pack.extra}} if settings.guides else {}),
        "device": pack.compute.describe(),
        "versions": {
            "patina": __version__,
            "python": platform.python_version(),
            "torch": str(torch.__version__),
            "open_clip": open_clip.__version__,
            "kornia": kornia.__version__,
        },
    }
