"""The arithmetic of LlamaGen's and diffusers' VQModel over their own names, without any of our modules."""

from __future__ import annotations

import torch
from torch.nn import functional as F


class Plain:
    """Functions of a state dict: `conv("decoder.conv_in", x)` and so on. Groups of 32, as published."""

    def __init__(self, state):
        self.state = state

    def has(self, name):
        return f"{name}.weight" in self.state

    def conv(self, name, x, pad=1, stride=1):
        w, b = self.state[f"{name}.weight"], self.state[f"{name}.bias"]
        return F.conv2d(x, w, b, stride=stride, padding=pad)

    def norm(self, name, x):
        return F.group_norm(x, 32, self.state[f"{name}.weight"], self.state[f"{name}.bias"], eps=1e-6)

    def swish(self, x):
        return x * torch.sigmoid(x)

    def block(self, name, x, shortcut):
        h = self.conv(f"{name}.conv1", self.swish(self.norm(f"{name}.norm1", x)))
        h = self.conv(f"{name}.conv2", self.swish(self.norm(f"{name}.norm2", h)))
        return h + (self.conv(f"{name}.{shortcut}", x, pad=0) if self.has(f"{name}.{shortcut}") else x)

    def attention(self, name, x, norm, q, k, v, out):
        B, C, H, W = x.shape
        h = self.norm(f"{name}.{norm}", x).flatten(2)  # (B, C, HW)
        q, k, v = (self._mix(f"{name}.{n}", h) for n in (q, k, v))
        weights = torch.softmax(torch.einsum("bci,bcj->bij", q, k) * C**-0.5, dim=-1)
        h = self._mix(f"{name}.{out}", torch.einsum("bij,bcj->bci", weights, v))
        return x + h.view(B, C, H, W)

    def _mix(self, name, h):
        weight = self.state[f"{name}.weight"].flatten(1)
        return torch.einsum("oc,bci->boi", weight, h) + self.state[f"{name}.bias"][:, None]

    def down(self, name, x):
        return self.conv(name, F.pad(x, (0, 1, 0, 1)), pad=0, stride=2)

    def up(self, name, x):
        return self.conv(name, x.repeat_interleave(2, -1).repeat_interleave(2, -2))


def llamagen(state, x, codes):
    """Picture in -1..1 → latent before quantisation; codes (h, w) → picture. Two levels."""
    net = Plain(state)

    def attention(name, h):
        return net.attention(name, h, "norm", "q", "k", "v", "proj_out")

    def run(side, h, blocks, sample):
        for i in (0, 1):
            at = f"{side}.conv_blocks.{i}"
            for j in range(blocks):
                h = net.block(f"{at}.res.{j}", h, "nin_shortcut")
                h = attention(f"{at}.attn.{j}", h) if net.has(f"{at}.attn.{j}.q") else h
            h = sample(f"{at}.{sample.__name__}sample.conv", h) if i == 0 else h
        return h

    def middle(side, h):
        h = attention(f"{side}.mid.1", net.block(f"{side}.mid.0", h, ""))
        return net.block(f"{side}.mid.2", h, "")

    def end(side, h):
        return net.conv(f"{side}.conv_out", net.swish(net.norm(f"{side}.norm_out", h)))

    h = run("encoder", net.conv("encoder.conv_in", x), 2, net.down)
    latent = net.conv("quant_conv", end("encoder", middle("encoder", h)), pad=0)
    table = F.normalize(state["quantize.embedding.weight"], dim=-1)
    z = table[codes].permute(2, 0, 1)[None]
    h = middle("decoder", net.conv("decoder.conv_in", net.conv("post_quant_conv", z, pad=0)))
    return latent, end("decoder", run("decoder", h, 3, net.up))


def diffusers(state, x, codes):
    """The same for diffusers, with either naming of attention, or without any."""
    net = Plain(state)
    old = any(".query." in name for name in state)
    names = ("query", "key", "value", "proj_attn") if old else ("to_q", "to_k", "to_v", "to_out.0")

    def attention(name, h):
        return net.attention(name, h, "group_norm", *names) if net.has(f"{name}.group_norm") else h

    def run(at, h, blocks, sample):
        for i in (0, 1):
            for j in range(blocks):
                h = net.block(f"{at}.{i}.resnets.{j}", h, "conv_shortcut")
                h = attention(f"{at}.{i}.attentions.{j}", h)
            h = sample(f"{at}.{i}.{sample.__name__}samplers.0.conv", h) if i == 0 else h
        return h

    def middle(at, h):
        h = attention(f"{at}.attentions.0", net.block(f"{at}.resnets.0", h, ""))
        return net.block(f"{at}.resnets.1", h, "")

    def end(side, h):
        return net.conv(f"{side}.conv_out", net.swish(net.norm(f"{side}.conv_norm_out", h)))

    h = run("encoder.down_blocks", net.conv("encoder.conv_in", x), 1, net.down)
    latent = net.conv("quant_conv", end("encoder", middle("encoder.mid_block", h)), pad=0)
    z = state["quantize.embedding.weight"][codes].permute(2, 0, 1)[None]
    h = middle("decoder.mid_block", net.conv("decoder.conv_in", net.conv("post_quant_conv", z, pad=0)))
    return latent, end("decoder", run("decoder.up_blocks", h, 2, net.up))
