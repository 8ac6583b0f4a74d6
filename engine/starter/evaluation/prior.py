"""What the prior draws from nothing, and what the guide's choice among its drawings adds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from engine.models.packs import Pack
from engine.models.priors import AnyPrior
from engine.models.vqgan import TORUS
from engine.starter.embedding import embed
from engine.starter.evaluation.bench import Prompt
from engine.starter.evaluation.naming import Namer, shares
from engine.synthesis.decode import decode_picture
from engine.synthesis.diversity import vendi
from engine.synthesis.propose import VIEWS
from engine.synthesis.rank import score
from engine.synthesis.seeds import streams


@dataclass(frozen=True)
class Drawn:
    """Samples of one prompt: pictures (n, 3, H, W), and how well the guide finds they fit, (n,)."""

    pictures: Tensor
    fit: Tensor

    @property
    def best(self) -> int:
        """The sample that the guide likes best."""
        return int(self.fit.argmax())


@torch.no_grad()
def draw(text: str, n: int, pack: Pack, prior: AnyPrior, size_px: int = 256) -> Drawn:
    """n samples of the prior for a prompt, seeds 0 to n-1."""
    embedding = pack.guide.encode_text([text])[0]
    grid = (size_px // pack.generator.f,) * 2
    seeds = list(range(n))
    with pack.compute.autocast():
        *_, codes = prior.sample(embedding.expand(n, -1), grid, streams(seeds, "prior/0"))
    pictures = decode_picture(pack.generator.lookup(codes), pack, TORUS)
    views = streams(seeds, "proposal/0")
    fit = score(pictures, embedding, pack.guide, views, views=VIEWS, tile=TORUS)
    return Drawn(pictures, fit)


def sampled(drawn: list[Drawn], prompts: list[Prompt], namer: Namer) -> dict[str, Any]:
    """The judge's naming of all samples, as they come, and of each prompt's best by the guide."""
    every, best, effective = [], [], []
    for samples in drawn:
        embeddings = embed(samples.pictures, namer.clip)
        names = namer(embeddings)
        every.append(names)
        best.append(names[samples.best])
        effective.append(vendi(embeddings))
    meant = [(p.family, p.colour) for p in prompts]
    n = len(every[0])
    return {
        "prompts": len(prompts),
        "samples": n,
        "as_drawn": shares([x for row in every for x in row], [m for m in meant for _ in range(n)]),
        "ranked": shares(best, meant),
        "vendi": sum(effective) / len(effective),
    }
