"""Names of published weights → taming's, which are ours.

A layout is known by its names. Each function takes a whole state, drops what is not the network
(losses, discriminators, averages) and returns tensors as views, without copies.

Sources of the names: CompVis/taming-transformers `taming/models/vqgan.py`; patil-suraj/vqgan-jax
`modeling_flax_vqgan.py`; FoundationVision/LlamaGen `tokenizer/tokenizer_image/vq_model.py`;
huggingface/diffusers `models/autoencoders/vq_model.py` and its `scripts/convert_amused.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from engine.errors import BadWeights
from engine.models.checkpoints.reading import State

PARTS = ("encoder.", "decoder.", "quantize.", "quant_conv.", "post_quant_conv.")
WITHIN = ("first_stage_model.", "params.")
"""What may stand before every name: a VQGAN inside its transformer's checkpoint, flax's collection."""


def taming(state: State) -> State:
    """Everything is there by the names that we use."""
    return state


def flax(state: State) -> State:
    """vqgan-jax: an underscore before indices, `kernel` (kH, kW, in, out), `scale`, `embedding`."""
    renamed: State = {}
    for theirs, x in state.items():
        # Only below up and down: mid.block_1 is called so in taming, too.
        name = re.sub(r"\.(up|down)_(\d+)\.", r".\1.\2.", theirs)
        name = re.sub(r"(\.(?:up|down)\.\d+)\.(block|attn)_(\d+)\.", r"\1.\2.\3.", name)
        convolution = name.endswith(".kernel") and x.ndim == 4
        name = re.sub(r"\.(kernel|scale|embedding)$", ".weight", name)
        renamed[name] = x.permute(3, 2, 0, 1) if convolution else x
    return renamed


def llamagen(state: State) -> State:
    """LlamaGen: levels in the order in which they run, the middle as a list."""
    last = _last(state, r"decoder\.conv_blocks\.(\d+)\.")
    renamed: State = {}
    for theirs, x in state.items():
        name = re.sub(r"^encoder\.conv_blocks\.", "encoder.down.", theirs)
        name = re.sub(r"^decoder\.conv_blocks\.(\d+)\.", lambda m: f"decoder.up.{last - int(m[1])}.", name)
        name = re.sub(r"\.(down|up)\.(\d+)\.res\.", r".\1.\2.block.", name)
        for i, part in enumerate(("block_1", "attn_1", "block_2")):
            name = name.replace(f".mid.{i}.", f".mid.{part}.")
        renamed[name] = x
    return renamed


def diffusers(state: State) -> State:
    """diffusers' VQModel: levels in the order in which they run; attention as linear layers."""
    last = _last(state, r"decoder\.up_blocks\.(\d+)\.")
    parts = {
        "down_blocks": "down", "resnets": "block", "attentions": "attn", "conv_shortcut": "nin_shortcut",
        "downsamplers.0": "downsample", "upsamplers.0": "upsample", "conv_norm_out": "norm_out",
        "mid_block.block.0": "mid.block_1", "mid_block.attn.0": "mid.attn_1",
        "mid_block.block.1": "mid.block_2",
    }  # fmt: skip
    attention = {
        "group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out",
        "query": "q", "key": "k", "value": "v", "proj_attn": "proj_out",  # before diffusers 0.17
    }  # fmt: skip
    renamed: State = {}
    for name_of_theirs, x in state.items():
        name = name_of_theirs
        for theirs, ours in parts.items():
            name = name.replace(f".{theirs}.", f".{ours}.")
        name = re.sub(r"\.up_blocks\.(\d+)\.", lambda m: f".up.{last - int(m[1])}.", name)
        if ".attn" in name:
            for theirs, ours in attention.items():
                name = re.sub(rf"\.{re.escape(theirs)}\.(weight|bias)$", rf".{ours}.\1", name)
        linear = ".attn" in name and x.ndim == 2  # over positions, the same as a 1x1 convolution
        renamed[name] = x[:, :, None, None] if linear else x
    return renamed


LAYOUTS: dict[str, tuple[str, Callable[[State], State]]] = {  # by a name that only it has
    "taming": (r"decoder\.up\.0\.block\.0\.", taming),
    "flax": (r"decoder\.up_0\.block_0\.", flax),
    "llamagen": (r"decoder\.conv_blocks\.0\.res\.0\.", llamagen),
    "diffusers": (r"decoder\.up_blocks\.0\.resnets\.0\.", diffusers),
}


def to_taming(state: State, file: str) -> tuple[str, State]:
    """The layout of a published state, and the state in taming's names, the network alone.

    Raises:
        BadWeights: names of none of the layouts; `file` is called so in the sentence.
    """
    for prefix in WITHIN:
        if any(name.startswith(f"{prefix}decoder.") for name in state):
            state = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
    network = {k: v for k, v in state.items() if k.startswith(PARTS) and k != "quantize.codebook_used"}
    for layout, (sign, rename) in LAYOUTS.items():
        if any(re.match(sign, name) for name in network):
            return layout, rename(network)
    raise BadWeights(
        f"{file} is no VQGAN that Patina knows: taming, flax, LlamaGen and diffusers' VQModel are.",
        details=", ".join(sorted(state)[:20]),
    )


def _last(state: State, pattern: str) -> int:
    found = (re.match(pattern, name) for name in state)
    return max(int(m[1]) for m in found if m)
