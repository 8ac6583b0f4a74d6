"""The architecture of published weights: read off their shapes, and held against the file beside them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from engine.errors import BadWeights
from engine.models.checkpoints.reading import State
from engine.models.vqgan import VQGANConfig

MAX_BYTES = 1 << 20
MOST = {
    "ch": 1024, "num_res_blocks": 16, "in_channels": 64, "out_ch": 64, "z_channels": 4096, "embed_dim": 4096,
    "n_embed": 1 << 20, "resolution": 1 << 14, "norm_groups": 1024,
}  # fmt: skip
"""Far above everything published. What asks for more would only fill the memory."""

TAMING = (
    "ch", "ch_mult", "num_res_blocks", "attn_resolutions", "resolution", "in_channels", "out_ch",
    "z_channels",
)  # fmt: skip
UNSEEN = {"resolution": 256, "norm_groups": 32, "l2_codes": False}
"""What shapes do not show, as everything published has it unless its file says otherwise."""


def declared(path: Path) -> dict[str, Any]:
    """What a taming `.yaml`, or the `config.json` of flax, diffusers or LlamaGen says, by our names.

    Raises:
        BadWeights: it cannot be read, or asks for something that our network does not do.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadWeights(f"{path.name} is too large for a configuration. Choose the right file.")
        text = path.read_text("utf-8")
        found = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        raise BadWeights(
            f"{path.name} is no configuration. Download it again.", details=str(error)
        ) from error
    if not isinstance(found, Mapping):
        raise BadWeights(f"{path.name} is no configuration. Download it again.")
    try:
        return _ours(found, path.name)
    except (TypeError, ValueError, ZeroDivisionError) as error:
        raise BadWeights(f"{path.name} has values of the wrong kind.", details=str(error)) from error


def _ours(found: Mapping[str, Any], file: str) -> dict[str, Any]:
    if "block_out_channels" in found:
        return _diffusers(found, file)
    if "codebook_size" in found or isinstance(found.get("config"), Mapping):
        return _llamagen(_inner(found, "config"))
    params = _inner(_inner(found, "model"), "params")
    params = _inner(_inner(params, "first_stage_config"), "params")
    dd = _inner(params, "ddconfig")
    if dd.get("double_z"):
        raise BadWeights(f"{file} is of a KL autoencoder: 'double_z' must be false. Choose a VQGAN.")
    if dd.get("resamp_with_conv", True) is not True:
        raise BadWeights(
            f"{file} has 'resamp_with_conv' off, which Patina does not know. Choose another VQGAN."
        )
    said = {name: dd[name] for name in TAMING if name in dd}
    for name in {"ch_mult", "attn_resolutions"} & said.keys():
        said[name] = [int(number) for number in said[name]]
    return said | {name: params[name] for name in ("embed_dim", "n_embed") if name in params}


def _diffusers(found: Mapping[str, Any], file: str) -> dict[str, Any]:
    if found.get("norm_type", "group") != "group" or found.get("act_fn", "silu") != "silu":
        raise BadWeights(
            f"{file} has a 'norm_type' or 'act_fn' that Patina does not know. Choose another VQGAN."
        )
    widths = [int(n) for n in found["block_out_channels"]]
    names = {
        "layers_per_block": "num_res_blocks", "in_channels": "in_channels", "out_channels": "out_ch",
        "latent_channels": "z_channels", "num_vq_embeddings": "n_embed", "norm_num_groups": "norm_groups",
        "vq_embed_dim": "embed_dim",
    }  # fmt: skip
    said = {ours: found[theirs] for theirs, ours in names.items() if found.get(theirs) is not None}
    return {"ch": widths[0], "ch_mult": [n // widths[0] for n in widths], **said}


def _llamagen(found: Mapping[str, Any]) -> dict[str, Any]:
    names = {
        "codebook_size": "n_embed", "codebook_embed_dim": "embed_dim", "codebook_l2_norm": "l2_codes",
        "encoder_ch_mult": "ch_mult", "z_channels": "z_channels",
    }  # fmt: skip
    return {ours: found[theirs] for theirs, ours in names.items() if theirs in found}


def _inner(found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return found[name] if isinstance(found.get(name), Mapping) else found


def architecture(state: State, said: Mapping[str, Any], file: str) -> VQGANConfig:
    """The configuration that makes a network of exactly these shapes.

    Args:
        state: in taming's names.
        said: what `declared` found; {} where there is no file.
        file: what the weights are called in sentences.

    Raises:
        BadWeights: shapes of no VQGAN, out of bounds, or other than what was said.
    """
    unseen = {name: said.get(name, value) for name, value in UNSEEN.items()}
    try:
        resolution = int(unseen["resolution"])
        seen = _seen(state, resolution)
    except (KeyError, ValueError, ZeroDivisionError, TypeError) as error:
        raise BadWeights(
            f"{file} lacks parts of a VQGAN. Download it again.", details=f"at {error}"
        ) from error
    levels = [resolution // 2**i for i in range(len(seen["ch_mult"]))]
    for name, value in seen.items():
        wanted = said.get(name, value)
        if name == "attn_resolutions":  # configurations may list some that no level has
            wanted = [r for r in levels if r in wanted]
        wanted = tuple(wanted) if isinstance(wanted, list) else wanted
        if wanted != value:
            raise BadWeights(
                f"{file} and its configuration do not belong together: {name!r} is {value} in the weights "
                f"and {wanted} in the configuration. Find the one that came with it.",
                field="config",
            )
    try:
        cfg = VQGANConfig(**seen, **unseen)
    except ValidationError as error:
        raise BadWeights(f"{file} has an architecture that no VQGAN has.", details=str(error)) from error
    over = [name for name, most in MOST.items() if not 1 <= getattr(cfg, name) <= most]
    if over or len(cfg.ch_mult) > 8 or cfg.ch % cfg.norm_groups:
        raise BadWeights(f"{file} has an architecture that no VQGAN has.", details=repr(cfg))
    return cfg


def _seen(state: State, resolution: int) -> dict[str, Any]:
    ch, c_in = state["encoder.conv_in.weight"].shape[:2]
    levels = 1 + max(_numbers(state, r"encoder\.down\.(\d+)\."))
    widths = [state[f"encoder.down.{i}.block.0.conv1.weight"].shape[0] for i in range(levels)]
    if any(width % ch for width in widths):
        raise ValueError(f"widths {widths} of {ch}")
    attention = sorted(_numbers(state, r"encoder\.down\.(\d+)\.attn\."))
    gumbel = "quantize.proj.weight" in state
    n_embed, embed_dim = state["quantize.embed.weight" if gumbel else "quantize.embedding.weight"].shape
    seen = {
        "ch": int(ch),
        "ch_mult": tuple(int(width // ch) for width in widths),
        "num_res_blocks": 1 + max(_numbers(state, r"encoder\.down\.0\.block\.(\d+)\.")),
        "in_channels": int(c_in),
        "out_ch": int(state["decoder.conv_out.weight"].shape[0]),
        "z_channels": int(state["encoder.conv_out.weight"].shape[0]),
        "mid_attention": "decoder.mid.attn_1.q.weight" in state,
        "embed_dim": int(embed_dim),
        "n_embed": int(n_embed),
        "gumbel": gumbel,
    }
    return {**seen, "attn_resolutions": tuple(resolution // 2**i for i in attention)}


def _numbers(state: State, pattern: str) -> set[int]:
    return {int(m[1]) for m in (re.match(pattern, name) for name in state) if m}
