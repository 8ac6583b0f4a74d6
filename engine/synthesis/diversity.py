"""How many different things there are among some, by what a CLIP sees in them."""

from __future__ import annotations

import torch
from torch import Tensor


def vendi(embeddings: Tensor) -> float:
    """The effective number of different ones: exp(-Σ λ log λ), λ the eigenvalues of K/n, K_ij = cosine.

    Args:
        embeddings: unit vectors (n, D).

    Returns:
        1 (all the same) to n (all orthogonal).

    Source: Friedman and Dieng 2023, "The Vendi Score".
    """
    e = embeddings.double()
    eigenvalues = torch.linalg.eigvalsh(e @ e.T / len(e)).clamp(min=0)
    return float(torch.special.entr(eigenvalues).sum().exp())
