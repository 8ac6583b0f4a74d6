"""A whole pack with small random networks in the published formats: the real code, in no time."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import open_clip
import torch
from safetensors.torch import save_file

from engine.compute import Compute
from engine.models.exemplars import Exemplars
from engine.models.prior import Prior, PriorConfig
from engine.models.stream import StreamConfig
from engine.models.vqgan import VQGAN, VQGANConfig
from engine.starter.captions import canonical
from engine.starter.materials import sample

CLIP = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "patch_size": 8, "width": 32, "layers": 1, "head_width": 16},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}
VQ = VQGANConfig(
    ch=16, ch_mult=(1, 2), num_res_blocks=1, attn_resolutions=(), in_channels=8, out_ch=8, z_channels=16,
    mid_attention=False, embed_dim=4, n_embed=32, patch=4, norm_groups=4, l2_codes=True, border="reflect",
)  # fmt: skip
PRIOR = PriorConfig(n_embed=32, code_dim=4, text_dim=16, width=16, dilations=(1, 2))
STREAM = StreamConfig(
    n_embed=32, code_dim=4, text_dim=16, text_tokens=2, width=24, heads=2, layers=1, window=2
)
REMEMBERED = ("brick_wall", "moss", "wood_planks")

CPU = Compute(torch.device("cpu"), torch.float32)


def write_network(folder: Path, model: torch.nn.Module, config: dict) -> None:
    folder.mkdir(parents=True)
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config))


def write_clip(folder: Path, seed: int) -> None:
    torch.manual_seed(seed)
    folder.mkdir(parents=True)
    save_file(open_clip.CLIP(**CLIP).state_dict(), folder / "open_clip_model.safetensors")
    preprocess = {"mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]}
    (folder / "open_clip_config.json").write_text(
        json.dumps({"model_cfg": CLIP, "preprocess_cfg": preprocess})
    )


def write_pack(root: Path, pack_id: str = "tiny", *, prior: bool = True) -> None:
    """Networks, with or without what proposes, below `root`, and their catalogue entry in `root`/catalog."""
    torch.manual_seed(0)
    write_network(root / "generator", VQGAN(VQ), VQ.model_dump(mode="json"))
    write_network(root / "prior", Prior(PRIOR), PRIOR.model_dump(mode="json"))
    recipes = [sample(3, name) for name in REMEMBERED]
    names, keys = [canonical(p) for p in recipes], torch.randn(len(recipes), 16)
    exemplars = Exemplars.of(names, [dict(p) for p in recipes], keys, torch.zeros(0, 16))
    write_network(root / "exemplars", exemplars, exemplars.cfg.model_dump(mode="json"))
    write_clip(root / "guide", 1)
    write_clip(root / "judge", 2)
    files = {
        "generator": "generator/model",
        "guide": "guide/open_clip_model",
        "judge": "judge/open_clip_model",
    }
    files |= {"prior": "prior/model", "exemplars": "exemplars/model"} if prior else {}
    entry = {
        "id": pack_id, "label": "Tiny", "description": "random", "licence": "none",
        "channels": ["red", "green", "blue", "height", "roughness", "metallic", "emission", "relief"],
    }  # fmt: skip
    for role, name in files.items():
        data = (root / f"{name}.safetensors").read_bytes()
        sha256 = hashlib.sha256(data).hexdigest()
        entry[role] = {"path": f"{name}.safetensors", "sha256": sha256, "bytes": len(data)}
    (root / "catalog").mkdir(exist_ok=True)
    (root / "catalog" / f"{pack_id}.json").write_text(json.dumps(entry))
