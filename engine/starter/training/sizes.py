"""Sizes of a whole training: how many materials, how long, and networks how large. Data, no code.

`cpu` is what the stages' own configurations say. `full` is for one GPU of 24 GB or more, and its networks are
as large as files of them, in float16, may be: 16 MiB each, 64 MiB together. It was never run. By
arithmetic it takes a few hours: two core-hours to draw the materials, an hour and a half of one core to cut
the two CLIPs' views out of them, and 10^17 floating-point operations, most of them the prior's. `smoke` shows
that training learns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Size:
    """What a training at this size differs in from the stages' own configurations.

    Attributes:
        materials: how many are rendered for training.
        exemplars: how many of them the pack remembers, about.
        families: that they are drawn from; None for all.
        px: side of a material.
        supersampling: how many times larger materials are drawn, against aliasing; four times the work for 2.
        changes: by stage, fields of its configuration and what they are instead.
    """

    materials: int = 6144
    exemplars: int = 4096
    families: tuple[str, ...] | None = None
    px: int = 256
    supersampling: int = 1
    changes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


FULL = Size(
    materials=24_576,
    exemplars=6144,
    supersampling=2,
    changes={
        # A CLIP's table of tokens alone takes 9 MiB: what is left goes to the towers.
        "guide": {"tower": "patina_texture_net_wide", "layers": 6, "steps": 5000, "batch": 384},
        # Attention, so that what fools the guide's convolutions need not fool it too.
        "judge": {"tower": "patina_patch_net_wide", "layers": 6, "steps": 5000, "batch": 384, "lr": 7e-4},
        "generator": {"architecture": {"ch": 96}, "steps": 30_000, "batch": 32, "crop_px": 128},
        "decoder": {"steps": 8000, "batch": 32, "crop_px": 128},
        "estimator": {"architecture": {"ch": 48}, "steps": 15_000, "batch": 32, "crop_px": 128},
        "prior": {"width": 256, "steps": 20_000, "batch": 64, "lr": 6e-4},
        "stream": {"width": 224, "layers": 8, "steps": 15_000, "batch": 64, "lr": 6e-4},
    },
)

SMOKE = Size(
    materials=240,
    exemplars=48,
    families=("brick_wall", "grass", "knit_wool", "lava", "square_tiles", "wood_planks"),
    px=64,
    changes={
        "guide": {"steps": 160, "batch": 48, "image_px": 48, "ema": 0.9},
        "judge": {"steps": 16, "batch": 32, "image_px": 48, "ema": 0.9},
        "generator": {"steps": 240, "batch": 4, "crop_px": 64, "ema": 0.9},
        "decoder": {"steps": 20, "batch": 4, "crop_px": 64, "ema": 0.9},
        "estimator": {"steps": 16, "batch": 4, "crop_px": 64, "ema": 0.9},
        "prior": {"steps": 24, "batch": 8, "ema": 0.9},
        "stream": {"steps": 120, "batch": 8, "ema": 0.9},
    },
)

SIZES = {"cpu": Size(), "full": FULL, "smoke": SMOKE}
