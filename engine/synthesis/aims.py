"""What variations of a picture, and those between two, come near to: a point in CLIP's space for each."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F  # the field's name for it

from engine.models.guide import Clip
from engine.settings import RunSettings
from engine.synthesis.edits import Edits
from engine.synthesis.seeds import streams
from engine.synthesis.targets import Target, of_picture, slerp, text_difference, varied

TURN = 0.35
"""Of the way from a picture to a difference of texts at weight 1. DALL·E 2 takes 0.25 to 0.5."""


def aims_of(s: RunSettings, edits: Edits, clip: Clip, seeds: Sequence[int] | None) -> Tensor | None:
    """Where each variation shall come: unit vectors (B, D); None where the words say it.

    For `vary` it is what the CLIP sees in `image`, with noise of `strength`, turned from one text to
    another; on the way to `towards`, a point on the arc between both.

    Args:
        s: the request.
        edits: what its files hold.
        clip: guide or judge.
        seeds: one a variation; None leaves out the noise, as who judges wants to know how near they stay.
    """
    if not (s.vary or s.towards):
        return None
    seen = seen_in(edits, clip)
    if s.towards:
        assert edits.towards is not None
        other = seen_in(edits.towards, clip)
        return torch.stack([slerp(seen, other, share) for share in s.shares])
    noise = 0.0 if seeds is None else s.strength
    aims = varied(seen, noise, streams(seeds or range(s.variations), "vary"))
    return turned(aims, s, clip)


def turned(embeddings: Tensor, s: RunSettings, clip: Clip) -> Tensor:
    """Unit embeddings (..., D), turned by the request's difference of texts, if it has one."""
    if s.difference is None or s.difference.weight == 0:
        return embeddings
    before, after = (
        clip.encode_templates(text, s.templates) for text in (s.difference.before, s.difference.after)
    )
    return text_difference(embeddings, before, after, min(1.0, TURN * s.difference.weight))


def seen_in(edits: Edits, clip: Clip) -> Tensor:
    """What a CLIP sees in what a run begins from, a unit vector (D,)."""
    if edits.stored is not None:
        picture = edits.stored.maps.basecolor[0]
    else:
        assert edits.picture is not None
        picture = edits.picture
    return of_picture(picture.to(clip.compute.device), clip)


def direction(asked: Target, aims: Tensor | None) -> Tensor:
    """All that is asked for as one unit vector (D,), or with aims (B, D) one for each variation."""
    if aims is None:
        return asked.direction()
    if not len(asked):
        return aims
    return F.normalize(aims + asked.weights @ asked.embeddings, dim=-1)
