"""Small checkpoints in exactly the layouts and names in which large ones are published."""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path

import numpy as np
import torch
import yaml

PARITY = Path(__file__).parents[2] / "parity"


def by_rule(key, shape):
    """Weights from their names, as parity/README.md says."""
    draw = np.random.RandomState(int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big"))
    x = draw.standard_normal(tuple(shape))
    if ".norm" in key and key.endswith(".weight"):
        x = 1 + 0.1 * x
    elif key.endswith(".bias"):
        x = 0.05 * x
    elif key in ("quantize.embedding.weight", "quantize.embed.weight"):
        x = 0.7 * x
    else:
        x = x / np.sqrt(np.prod(shape[1:]))
    return torch.from_numpy(x.astype(np.float32))


def parity(name):
    """Arrays, configuration, and the state dict of taming's own names and order."""
    arrays = np.load(PARITY / f"{name}.npz")
    config = json.loads(str(arrays["config"]))
    return arrays, config, {k: by_rule(k, v) for k, v in config["state_dict_shapes"].items()}


def write_yaml(path, config):
    """taming's `model.yaml`."""
    target = "taming.models.vqgan.GumbelVQ" if config["gumbel"] else "taming.models.vqgan.VQModel"
    params = {
        "embed_dim": config["embed_dim"],
        "n_embed": config["n_embed"],
        "ddconfig": config["ddconfig"],
        "lossconfig": {"target": "taming.modules.losses.vqperceptual.VQLPIPSWithDiscriminator"},
    }
    document = {"model": {"base_learning_rate": 4.5e-6, "target": target, "params": params}}
    path.write_text(yaml.safe_dump(document))


def write_ckpt(path, state):
    """Lightning 1.0's checkpoint of taming: classes as keys of `callbacks`, moments, the losses' networks."""
    callback = type("ModelCheckpoint", (), {"__module__": "pytorch_lightning.callbacks.model_checkpoint"})
    with_losses = {
        **state,
        "loss.perceptual_loss.net.slice1.0.weight": torch.ones(4, 3, 3, 3),
        "loss.discriminator.main.0.weight": torch.ones(4, 3, 4, 4),
    }
    moments = {i: {"step": 9, "exp_avg": torch.zeros_like(x)} for i, x in enumerate(state.values())}
    with Importable(callback):
        torch.save(
            {
                "epoch": 3,
                "global_step": 1000,
                "pytorch-lightning_version": "1.0.8",
                "callbacks": {callback: {"monitor": "val/rec_loss", "best_model_score": torch.tensor(0.5)}},
                "optimizer_states": [{"state": moments, "param_groups": []}],
                "lr_schedulers": [],
                "state_dict": with_losses,
            },
            path,
        )


class Importable:
    """Lets pickle find a class by the name of a package that is not installed."""

    def __init__(self, kind):
        self.kind = kind

    def __enter__(self):
        import sys
        from types import ModuleType

        parts = self.kind.__module__.split(".")
        self.names = [".".join(parts[: i + 1]) for i in range(len(parts))]
        sys.modules.update({name: ModuleType(name) for name in self.names})
        setattr(sys.modules[self.kind.__module__], self.kind.__name__, self.kind)

    def __exit__(self, *_):
        import sys

        for name in self.names:
            del sys.modules[name]


# --- flax ----------------------------------------------------------------------------------------


def flax_tree(state):
    """vqgan-jax's nested parameters, from taming's state: spelled out name by name."""
    tree = {}
    for key, x in state.items():
        *above, leaf = key.split(".")
        modules = []
        for part in above:
            if part.isdigit():
                modules[-1] = f"{modules[-1]}_{part}"
            else:
                modules.append(part)
        if modules[-1] == "embedding":
            leaf = "embedding"
        elif leaf == "weight":
            leaf = "scale" if "norm" in modules[-1] else "kernel"
        array = x.permute(2, 3, 1, 0) if leaf == "kernel" else x
        node = tree
        for module in modules:
            node = node.setdefault(module, {})
        node[leaf] = array.contiguous().numpy()
    return tree


def msgpack(value):
    """What flax.serialization.msgpack_serialize writes, in the longest of the possible headers."""
    if isinstance(value, dict):
        items = b"".join(msgpack(k) + msgpack(v) for k, v in value.items())
        return (
            bytes([0x80 | len(value)]) if len(value) < 16 else struct.pack(">BH", 0xDE, len(value))
        ) + items
    if isinstance(value, str):
        data = value.encode()
        return (bytes([0xA0 | len(data)]) if len(data) < 32 else struct.pack(">BB", 0xD9, len(data))) + data
    if isinstance(value, np.ndarray):
        data = msgpack([list(value.shape), value.dtype.name, value.tobytes()])
        return struct.pack(">BIb", 0xC9, len(data), 1) + data
    if isinstance(value, bytes):
        return struct.pack(">BI", 0xC6, len(value)) + value
    if isinstance(value, list):
        return bytes([0x90 | len(value)]) + b"".join(map(msgpack, value))
    return bytes([value]) if value < 128 else struct.pack(">BH", 0xCD, value)


# --- The other two, of which no numbers are at hand: their names, and a forward pass that knows no others --


def block(prefix, c_in, c_out, shortcut):
    shapes = {
        "norm1": (c_in,),
        "conv1": (c_out, c_in, 3, 3),
        "norm2": (c_out,),
        "conv2": (c_out, c_out, 3, 3),
    }
    if c_in != c_out:
        shapes[shortcut] = (c_out, c_in, 1, 1)
    return layers(prefix, shapes)


def layers(prefix, shapes):
    found = {}
    for name, shape in shapes.items():
        found[f"{prefix}.{name}.weight"] = shape
        found[f"{prefix}.{name}.bias"] = shape[:1]
    return found


def llamagen_shapes(ch=32, mult=(1, 2), blocks=2, z=16, n=40, d=8):
    """VQModel of LlamaGen by its own names; published with ch 128, mult 1 1 2 2 4, z 256, n 16384, d 8."""
    last, wide = len(mult) - 1, ch * mult[-1]
    attn = dict.fromkeys(("q", "k", "v", "proj_out"), (wide, wide, 1, 1)) | {"norm": (wide,)}
    shapes = layers("encoder", {"conv_in": (ch, 3, 3, 3), "norm_out": (wide,), "conv_out": (z, wide, 3, 3)})
    shapes |= layers("decoder", {"conv_in": (wide, z, 3, 3), "norm_out": (ch,), "conv_out": (3, ch, 3, 3)})
    for side in ("encoder", "decoder"):
        c = ch if side == "encoder" else wide
        for i in range(len(mult)):
            level = i if side == "encoder" else last - i
            for j in range(blocks + (side == "decoder")):
                at = f"{side}.conv_blocks.{i}"
                shapes |= block(f"{at}.res.{j}", c, ch * mult[level], "nin_shortcut")
                c = ch * mult[level]
                if level == last:
                    shapes |= layers(f"{at}.attn.{j}", attn)
            if i != last:
                sample = "downsample" if side == "encoder" else "upsample"
                shapes |= layers(f"{side}.conv_blocks.{i}.{sample}", {"conv": (c, c, 3, 3)})
        shapes |= block(f"{side}.mid.0", wide, wide, "") | layers(f"{side}.mid.1", attn)
        shapes |= block(f"{side}.mid.2", wide, wide, "")
    shapes |= {"quantize.embedding.weight": (n, d), "quantize.codebook_used": (64,)}
    return shapes | layers("quant_conv", {"x": (d, z, 1, 1)}) | layers("post_quant_conv", {"x": (z, d, 1, 1)})


def diffusers_shapes(widths=(32, 64), blocks=1, z=16, n=40, d=8, *, mid=True, old=False):
    """diffusers' VQModel by its own names; attention at the last level (AttnDownEncoderBlock2D)."""
    last, wide = len(widths) - 1, widths[-1]
    names = ("query", "key", "value", "proj_attn") if old else ("to_q", "to_k", "to_v", "to_out.0")
    attn = dict.fromkeys(names, (wide, wide)) | {"group_norm": (wide,)}
    ends = {"conv_in": (widths[0], 3, 3, 3), "conv_norm_out": (wide,), "conv_out": (z, wide, 3, 3)}
    shapes = layers("encoder", ends)
    ends = {"conv_in": (wide, z, 3, 3), "conv_norm_out": (widths[0],), "conv_out": (3, widths[0], 3, 3)}
    shapes |= layers("decoder", ends)
    for side, list_name in (("encoder", "down_blocks"), ("decoder", "up_blocks")):
        c = widths[0] if side == "encoder" else wide
        for i in range(len(widths)):
            level, at = (i if side == "encoder" else last - i), f"{side}.{list_name}.{i}"
            for j in range(blocks + (side == "decoder")):
                shapes |= block(f"{at}.resnets.{j}", c, widths[level], "conv_shortcut")
                c = widths[level]
                if level == last and mid:
                    shapes |= layers(f"{at}.attentions.{j}", attn)
            if i != last:
                sample = "downsamplers" if side == "encoder" else "upsamplers"
                shapes |= layers(f"{at}.{sample}.0", {"conv": (c, c, 3, 3)})
        shapes |= block(f"{side}.mid_block.resnets.0", wide, wide, "")
        shapes |= layers(f"{side}.mid_block.attentions.0", attn) if mid else {}
        shapes |= block(f"{side}.mid_block.resnets.1", wide, wide, "")
    shapes |= {"quantize.embedding.weight": (n, d)}
    return shapes | layers("quant_conv", {"x": (d, z, 1, 1)}) | layers("post_quant_conv", {"x": (z, d, 1, 1)})


def fill(shapes):
    """A state of these shapes, by the rule."""
    return {k.replace("_conv.x.", "_conv."): by_rule(k, v) for k, v in shapes.items()}
