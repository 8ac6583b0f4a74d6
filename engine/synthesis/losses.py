"""How far pictures are from prompts, in CLIP's space."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # the field's name for it

from engine.models.grad import replace_grad


def spherical_distance(x: Tensor, y: Tensor) -> Tensor:
    """Half the squared angle θ between embeddings: θ²/2, with ‖x̂ - ŷ‖ = 2 sin(θ/2).

    Its gradient is θ; that of cosine, sin θ, goes flat towards opposites.

    Args:
        x: (..., D), any norm, any float dtype.
        y: (..., D), broadcast against x.

    Returns:
        (...), float32, 0..π²/2: 0 the same direction, π²/8 unrelated, π²/2 opposite.

    Source: `spherical_dist_loss` in crowsonkb/k-diffusion, `sample_clip_guided.py`.
    """
    x_hat, y_hat = F.normalize(x.float(), dim=-1), F.normalize(y.float(), dim=-1)
    half_chord = (x_hat - y_hat).norm(dim=-1) / 2
    return 2 * half_chord.clamp(max=1 - 1e-6).arcsin().square()  # arcsin' is infinite at 1


def prompt_loss(embeddings: Tensor, targets: Tensor, weights: Tensor, stops: Tensor) -> Tensor:
    """Mean distance of a picture's views to prompts, weighted: a negative weight pushes away.

    With d the distance of a view to a prompt, a prompt of weight w adds |w| · mean of d·sign(w) over the
    views. A view whose d·sign(w) is below the prompt's stop is near enough: it no longer pulls.

    Args:
        embeddings: (B, n, D) of n views of each picture.
        targets: (P, D), or (B, n, P, D) where each view has its own.
        weights: (P,).
        stops: (P,), in the unit of d·sign(w); -inf never stops.

    Returns:
        (B,), float32. A row does not depend on the others.

    Source: `Prompt` in nerdyrodent/VQGAN-CLIP, `generate.py`.
    """
    d = spherical_distance(embeddings[:, :, None], targets) * weights.sign()  # (B, n, P)
    pulling = replace_grad(d, torch.maximum(d, stops))
    return (weights.abs() * pulling.mean(1)).sum(-1)


def lone_changes(change: Tensor, wrap: tuple[bool, bool]) -> Tensor:
    """Mean square of what a place changes beyond the mean of the 3 x 3 places around it.

    CLIP is pleased by grain that alternates from code to code, and people are not: what changes shall
    change together.

    Args:
        change: of the latent, (B, C, h, w).
        wrap: axes (vertical, horizontal) along which it closes on itself.

    Returns:
        (B,), 0 where the change is the same everywhere. A row does not depend on the others.
    """
    padded = F.pad(change, (1, 1, 0, 0), "circular" if wrap[1] else "replicate")
    padded = F.pad(padded, (0, 0, 1, 1), "circular" if wrap[0] else "replicate")
    return (change - F.avg_pool2d(padded, 3, stride=1)).square().mean((1, 2, 3))
