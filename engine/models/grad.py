"""Two autograd tricks of the guided loop: gradients that pass where mathematics says zero."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class _ReplaceGrad(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, forward: Tensor, backward: Tensor) -> Tensor:
        ctx.shape = backward.shape
        return forward

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, Tensor]:
        return None, grads[0].sum_to_size(ctx.shape)


class _ClampWithGrad(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, low: float, high: float) -> Tensor:
        ctx.low, ctx.high = low, high
        ctx.save_for_backward(x)
        return x.clamp(low, high)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (x,) = ctx.saved_tensors
        inwards = grads[0] * (x - x.clamp(ctx.low, ctx.high)) >= 0
        return grads[0] * inwards, None, None


def replace_grad(forward: Tensor, backward: Tensor) -> Tensor:
    """`forward` in value; its gradient goes to `backward` instead, summed to that shape.

    Straight-through estimation (Bengio et al. 2013), as VQ-VAE uses it.
    """
    return _ReplaceGrad.apply(forward, backward)


def clamp_with_grad(x: Tensor, low: float, high: float) -> Tensor:
    """Clamps x to low..high; outside, only a gradient whose descent leads back inside passes.

    A hard clamp would end the gradient of a burnt-out pixel; this one lets it be pulled back.

    Source: `ClampWithGrad` in nerdyrodent/VQGAN-CLIP, `generate.py`.
    """
    return _ClampWithGrad.apply(x, low, high)
