"""Starting latents: what the prior draws for a prompt, the best of several by the guide."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import torch
from torch import Tensor

from engine.models.packs import Pack
from engine.models.prior import Prior, rows_of
from engine.models.vqgan import Wrap
from engine.settings import RunSettings
from engine.synthesis.decode import decode_picture
from engine.synthesis.phase import Phase
from engine.synthesis.rank import score
from engine.synthesis.seeds import streams

VIEWS = 6
"""Views by which the guide chooses among the samples."""

MEMORY_BYTES = 2**29
"""What samples that are drawn together may remember."""


def propose(
    s: RunSettings, pack: Pack, seeds: list[int], wrap: Wrap, text: Tensor
) -> Generator[Phase, None, Tensor]:
    """Starting latents z (B, C, h, w), a row a seed, for the guide's embedding (D,) of the prompt.

    Without a prior, codes are random. With one, every variation has `s.proposals` samples, each drawn
    from a stream of its own, and keeps the one that the guide likes best.
    """
    grid = (s.height // pack.generator.f, s.width // pack.generator.f)
    if pack.prior is None:
        draws = [
            torch.randint(0, pack.generator.cfg.n_embed, grid, generator=g) for g in streams(seeds, "codes")
        ]
        z = pack.generator.lookup(torch.stack(draws).to(pack.compute.device))
        yield Phase("propose", 1, 1)
        return z
    together = max(1, MEMORY_BYTES // (len(seeds) * pack.prior.bytes_a_row(grid)))
    groups = [range(p, min(p + together, s.proposals)) for p in range(0, s.proposals, together)]
    total, done = len(groups) * (rows_of(grid) + 1), 0
    best_z, best = torch.empty(0), torch.full((len(seeds),), -torch.inf)
    for group in groups:
        codes = torch.empty(0)
        for drawn in _drawn(s, pack.prior, pack, [(p, seeds) for p in group], grid, wrap, text):
            codes, done = drawn, done + 1
            yield Phase("propose", done, total)
        z = pack.generator.lookup(codes).unflatten(0, (len(group), len(seeds)))
        for p, row in zip(group, z, strict=True):
            picture = decode_picture(row, pack, wrap)
            views = streams(seeds, f"proposal/{p}")
            fit = score(picture, text, pack.guide, views, views=VIEWS, tile=wrap).cpu()
            better = (fit > best).to(z.device)[:, None, None, None]
            best_z = row if p == 0 else torch.where(better, row, best_z)
            best = torch.maximum(best, fit)
        done += 1
        yield Phase("propose", done, total, picture=decode_picture(best_z, pack, wrap))
    return best_z


def _drawn(
    s: RunSettings,
    prior: Prior,
    pack: Pack,
    proposals: list[tuple[int, list[int]]],
    grid: tuple[int, int],
    wrap: Wrap,
    text: Tensor,
) -> Iterator[Tensor]:
    """The prior's samples, row by row, in the pack's precision; between them the caller's own holds."""
    luck = [g for p, seeds in proposals for g in streams(seeds, f"prior/{p}")]
    rows = prior.sample(text.expand(len(luck), -1), grid, luck, temperature=s.temperature, wrap=wrap)
    while True:
        with pack.compute.autocast():
            codes = next(rows, None)
        if codes is None:
            return
        yield codes
