"""A picture laid over the result now and then, for guidance to grow into: a logo, a hand-painted part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F  # the field's name for it

from engine.models.packs import Pack
from engine.models.vqgan import Wrap
from engine.settings import RunSettings
from engine.synthesis.propose import Proposal

Renew = Callable[[int, Tensor], Tensor]


def laid_over(
    s: RunSettings, pack: Pack, wrap: Wrap, proposal: Proposal, overlay: Tensor
) -> tuple[Proposal, Renew]:
    """How a run takes an overlay (4, H, W), sRGB and alpha: a proposal with it, and what renews it.

    Every `s.overlay_every` steps the picture is laid over what the latent decodes to, and the codes under it
    are read anew; the others stay. Under it nothing of drawn maps is left, so that all that shows is codes.
    Guidance has the steps in between, so the overlay is not kept to the last bit: a mask does that.

    Source: `overlay_every` of pixray.
    """
    overlay = overlay[None].to(proposal.z.device)
    alpha = overlay[:, 3:]
    codes_px = pack.generator.f
    touched = F.max_pool2d(alpha, codes_px) > 0

    @torch.no_grad()
    def renew(step: int, z: Tensor) -> Tensor:
        if step % s.overlay_every:
            return z
        x = pack.generator.decode(z, wrap)
        colour = torch.lerp(x[:, :3], overlay[:, :3].expand_as(x[:, :3]), alpha)
        codes = pack.generator.codes_of(torch.cat([colour, x[:, 3:]], 1), wrap)
        return torch.where(touched, pack.generator.lookup(codes), z)

    z = renew(0, proposal.z)
    drawn = proposal.drawn
    if drawn is not None:
        drawn = replace(drawn, share=drawn.share * (1 - alpha))
    return replace(proposal, z=z, drawn=drawn), renew
