"""Cross-entropy over a large codebook, by which priors learn."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

CHUNK = 512
"""Codes of which the logits are in the cache of a processor at a time."""


def linear_cross_entropy(x: Tensor, w: Tensor, target: Tensor) -> Tensor:
    """Mean cross-entropy of the logits x·wᵀ, in float32, without ever holding all of them.

    Logits of 4,096 codes at every place are most of what a step would write to memory, and half its time.

    Args:
        x: features (N, C).
        w: what each of K classes is compared with (K, C).
        target: classes (N,).

    Source: the idea is Liger Kernel's `FusedLinearCrossEntropy` (Hsu et al. 2024).
    """
    loss: Tensor = _LinearCrossEntropy.apply(x.float(), w.float(), target)
    return loss


class _LinearCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor, target: Tensor) -> Tensor:
        loss, dx, dw, n = x.new_zeros(()), torch.empty_like(x), torch.zeros_like(w), max(1, len(x))
        for x_part, t_part, dx_part in zip(*(u.split(CHUNK) for u in (x, target, dx)), strict=True):
            p = x_part @ w.T
            p -= p.amax(-1, keepdim=True)
            loss -= p.gather(-1, t_part[:, None]).sum()
            total = p.exp_().sum(-1, keepdim=True)
            loss += total.log().sum()
            p /= total  # softmax; less the truth, it is the gradient of the logits
            p.scatter_add_(-1, t_part[:, None], -torch.ones_like(total))
            torch.mm(p, w, out=dx_part)
            dw.addmm_(p.T, x_part)
        ctx.save_for_backward(dx / n, dw / n)
        return loss / n

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None]:
        dx, dw = ctx.saved_tensors
        return grads[0] * dx, grads[0] * dw, None
