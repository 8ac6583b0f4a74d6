"""Results as the engine writes them: maps, sidecars and a summary in a folder of a run."""

from __future__ import annotations

import json
from pathlib import Path

MAPS = ("basecolor", "normal_gl", "roughness", "metallic", "height", "ao")
ALL = (*MAPS, "outline")  # and one that no material of today takes
SETTINGS = {
    "prompt": "red bricks", "negative": "moss", "preset": "plain", "templates": ["{}"], "pack": "starter",
    "variations": 2, "width": 512, "height": 512, "tile": "xy", "seed": 77, "steps": 33, "start": "auto",
    "proposals": 6, "cutouts": 8, "redraw": 0.0, "temperature": 1.0, "negative_weight": 0.5, "keep": 12.0,
    "coherence": 40.0, "judge_views": 16, "relief": None, "image": "", "strength": 0.5,
    "quality": "normal", "candidates": 1, "coarse": True,
}  # fmt: skip


def write_run(
    folder: Path, variations: int = 2, maps: tuple[str, ...] = MAPS, **settings: object
) -> list[Path]:
    """Write a run's results. Returns its sidecars; the pictures have no content."""
    folder.mkdir(parents=True)
    chosen = {**SETTINGS, **settings}
    sidecars = []
    for rank in range(1, variations + 1):
        stem = f"{str(chosen['prompt']).replace(' ', '_')}_v{rank}"
        files = {name: f"{stem}_{name}.png" for name in maps}
        for file in files.values():
            (folder / file).write_bytes(b"")
        content = {
            "format": 1, "settings": chosen, "rank": rank, "judge_score": 0.9 / rank, "guide_score": 0.5,
            "seam": 1.0, "seed": 77 + rank, "relief": 0.04, "origin": "prior", "variation": rank - 1,
            "tags": [{"facet": "kind", "label": "brick", "confidence": 0.9}], "files": files,
        }  # fmt: skip
        sidecars.append(folder / f"{stem}.json")
        sidecars[-1].write_text(json.dumps(content, indent=2))
    (folder / "summary.json").write_text("{}")
    (folder / "preview_0.rgba").write_bytes(b"")
    return sidecars
