"""The starter's guide and judge: small CLIPs on rendered materials and fresh captions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from pydantic import BaseModel, ConfigDict
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F  # the field's name for it

from engine.compute import Compute
from engine.models import towers  # noqa: F401  # registers our towers with timm
from engine.models.known import FILE
from engine.starter import captions
from engine.starter.data import Materials, labels
from engine.starter.materials import COLOURS, FAMILIES, Params
from engine.starter.training import known
from engine.starter.training.loop import Average, Learner, rng, warm_cosine
from engine.starter.training.teacher import TaughtEmbedding, rows
from engine.starter.training.views import views
from engine.starter.training.vocabulary import CONTEXT, FULL_VOCABULARY, Captioner, Vocabulary, start_from

TEXT = {"context_length": CONTEXT, "width": 96, "heads": 4, "layers": 4}
PREPROCESS = {"mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]}
STRIDE = 1.25
"""Of the radius, for the one step towards the worst view: Wong et al. 2020, section 4."""

NEVER = -1e4
"""A logit for what is no candidate; not infinite, since targets of 0 multiply it."""


class ClipTraining(BaseModel):
    """How one CLIP is trained. Guide and judge differ in tower, seed and materials."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    tower: str
    layers: int = TEXT["layers"]  # of the text tower
    seed: int
    image_px: int = 96
    embed_dim: int = 128
    steps: int = 1600
    batch: int = 128
    lr: float = 1.5e-3
    weight_decay: float = 0.05
    lit: float = 0.4  # share of views that are lit rather than bare base colour
    noise: float = 0.05  # largest standard deviation of noise added to a view
    unknown: float = 0.02  # share of tokens replaced by the unknown one
    bare: float = 0.3  # share of tokens read by their meaning alone, where there is a teacher
    teacher: str | None = None  # that the meanings come from, for the record
    wrong: float = 0.25  # share of pictures that also see a caption wrong in one thing
    withheld: bool = False  # whether captions use the synonyms that the guide never reads
    start: str | None = None  # folder of an exported CLIP that training goes on from
    labels: float = 0.5  # weight of the auxiliary family and colour losses
    robust: float = 0.0  # L2 length of the worst change that a view (3, px, px) in 0..1 must bear; 0: none
    ema: float = 0.998
    all_but: tuple[int, int] = (0, 2)  # leaves out materials whose index, modulo the second, is the first


GUIDE = ClipTraining(name="guide", tower="patina_texture_net", seed=11, all_but=(0, 4))
JUDGE = ClipTraining(
    name="judge", tower="patina_texture_net_deep", seed=23, all_but=(2, 4), steps=1200, withheld=True
)


def architecture(cfg: ClipTraining, vocabulary: int) -> dict[str, Any]:
    """open_clip's model configuration."""
    return {
        "embed_dim": cfg.embed_dim,
        "vision_cfg": {
            "image_size": cfg.image_px,
            "timm_model_name": cfg.tower,
            "timm_pool": "" if cfg.tower.startswith("patina") else "avg",
            "timm_proj": "linear",
        },
        "text_cfg": {**TEXT, "layers": cfg.layers, "vocab_size": vocabulary},
    }


@dataclass(frozen=True)
class Outcome:
    """A batch's loss, and what is worth watching of it."""

    loss: Tensor
    figures: dict[str, float]


class ClipStage(Learner):
    """Contrastive training with soft targets where captions mean the same, and label heads beside it.

    Args:
        meanings: (49408, width), the teacher's view of every token; None to do without.
        wrong: draws a caption that is wrong in exactly one thing; None to do without.
    """

    def __init__(
        self,
        data: Materials,
        cfg: ClipTraining,
        compute: Compute,
        meanings: Tensor | None = None,
        wrong: Captioner | None = None,
    ) -> None:
        torch.manual_seed(cfg.seed)
        self.name, self.total_steps = cfg.name, cfg.steps
        self.data, self.cfg, self.compute = data, cfg, compute
        self.meanings, self.wrong = meanings, wrong
        self.mine = np.array([i for i in range(len(data)) if i % cfg.all_but[1] != cfg.all_but[0]])
        self.vocabulary = Vocabulary(data.params, self._caption)
        network = self._network().to(compute.device)
        self.model = network.to(memory_format=torch.channels_last)  # faster on CPUs too
        self.heads = nn.ModuleDict(
            {
                "family": nn.Linear(cfg.embed_dim, len(FAMILIES)),
                "colour": nn.Linear(cfg.embed_dim, len(COLOURS)),
            }
        ).to(compute.device)
        self.family, self.colour = (torch.tensor(v) for v in zip(*map(labels, data.params), strict=True))
        self.chance = self._chance()
        self.meaning = np.unique(np.array([captions.canonical(p) for p in data.params]), return_inverse=True)[
            1
        ]
        self.average = Average(self.model, cfg.ema)
        groups = self._groups()
        self.adam = torch.optim.AdamW(groups, cfg.lr, betas=(0.9, 0.98))

    def _network(self) -> Any:  # open_clip's models have no types
        model = open_clip.CLIP(**architecture(self.cfg, len(self.vocabulary)))
        if self.meanings is not None:
            model.token_embedding = TaughtEmbedding(self.vocabulary.select(self.meanings))
        if self.cfg.start is not None:
            start_from(model, Path(self.cfg.start), self.vocabulary, self.meanings)
        return model

    def _caption(self, params: Params, draw: np.random.Generator) -> str:
        return captions.caption(params, draw, withheld=self.cfg.withheld)

    def _chance(self) -> np.ndarray:
        """Rare pairs of family and colour are drawn more often than they occur, by the root of it."""
        pairs = (self.family * len(COLOURS) + self.colour)[self.mine]
        weight = torch.bincount(pairs).float()[pairs].rsqrt().double().numpy()
        return np.asarray(weight / weight.sum())

    def _groups(self) -> list[dict[str, Any]]:
        named = [*self.model.named_parameters(), *self.heads.named_parameters()]
        flat = [p for n, p in named if p.ndim < 2 or "embedding" in n]
        return [
            {
                "params": [p for n, p in named if not (p.ndim < 2 or "embedding" in n)],
                "weight_decay": self.cfg.weight_decay,
            },
            {"params": flat, "weight_decay": 0.0},
        ]

    def step(self, i: int) -> dict[str, float]:
        cfg = self.cfg
        for group in self.adam.param_groups:
            group["lr"] = cfg.lr * warm_cosine(i, cfg.steps)
        draw = rng(cfg.seed, i)
        indices = draw.choice(self.mine, cfg.batch, replace=False, p=self.chance)
        pictures = torch.cat([self._views(part, draw) for part in np.array_split(indices, 4)])
        tokens, marked = self._tokens(indices, draw)
        text = self._read(tokens)
        if cfg.robust > 0:
            pictures = self._worst(pictures, text.detach(), indices, marked, draw)
        outcome = self._outcome(self._see(pictures), text, indices, marked)
        self.adam.zero_grad()
        outcome.loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.adam.step()
        self.average.update(self.model, i)
        return outcome.figures

    def _outcome(self, image: Tensor, text: Tensor, indices: np.ndarray, marked: Tensor) -> Outcome:
        """What embeddings of pictures, and of their captions and then wrong ones, are worth."""
        cfg = self.cfg
        named = self._label_loss(image, indices) + 0.5 * self._label_loss(text[: cfg.batch], indices)
        image, text = F.normalize(image, dim=-1), F.normalize(text, dim=-1)
        scale = self.model.logit_scale.exp().clamp(max=60)
        logits = scale * image @ text[: cfg.batch].T
        wrong = scale * (image[marked] * text[cfg.batch :]).sum(-1)
        contrast = self._contrast(logits, wrong, indices, marked)
        hit = (logits.argmax(1) == torch.arange(len(logits), device=logits.device)).float().mean()
        figures = {"contrast": contrast.item(), "labels": named.item(), "recall": hit.item()}
        if len(marked):
            figures["told apart"] = (logits.diagonal()[marked] > wrong).float().mean().item()
        return Outcome(contrast + cfg.labels * named, figures)

    def _worst(
        self, pictures: Tensor, text: Tensor, indices: np.ndarray, marked: Tensor, draw: np.random.Generator
    ) -> Tensor:
        """Views changed, by an L2 length of `robust` at most, to what the model reads worst.

        One step up the gradient from a random place in the ball: Wong et al. 2020 ("Fast is better than
        free"). Trained on them, a CLIP has gradients that look like what they stand for: Ganz and Elad
        2023 (CLIPAG).
        """
        radius = self.cfg.robust
        change = torch.from_numpy(draw.standard_normal(pictures.shape, np.float32)).to(pictures)
        change = (radius * draw.random() * F.normalize(change.flatten(1))).view_as(pictures).requires_grad_()
        loss = self._outcome(self._see(pictures + change), text, indices, marked).loss
        (uphill,) = torch.autograd.grad(loss, change)
        moved = (
            change.detach() + STRIDE * radius * F.normalize(uphill.flatten(1)).view_as(pictures)
        ).flatten(1)
        length = moved.norm(dim=1, keepdim=True)
        return pictures + (moved * (radius / length.clamp(min=radius))).view_as(pictures)

    def _tokens(self, indices: np.ndarray, draw: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Captions of a batch, then wrong ones for some of it; which, by their place in the batch."""
        texts = [self._caption(self.data.params[j], draw) for j in indices]
        marked = np.empty(0, np.int64)
        if self.wrong is not None:
            count = round(self.cfg.wrong * len(indices))
            marked = np.sort(draw.choice(len(indices), count, replace=False))
            texts += [self.wrong(self.data.params[j], draw) for j in indices[marked]]
        bare = self.cfg.bare if self.meanings is not None else 0.0
        return self.vocabulary.encode(texts, draw, self.cfg.unknown, bare), torch.from_numpy(marked)

    def _see(self, pictures: Tensor) -> Tensor:
        mean, std = (torch.tensor(PREPROCESS[k]).to(pictures).view(3, 1, 1) for k in ("mean", "std"))
        with self.compute.autocast():
            seen = (pictures - mean) / std
            image: Tensor = self.model.encode_image(seen.to(memory_format=torch.channels_last))
        return image.float()

    def _read(self, tokens: Tensor) -> Tensor:
        with self.compute.autocast():
            text: Tensor = self.model.encode_text(tokens.to(self.compute.device))
        return text.float()

    def _contrast(self, logits: Tensor, wrong: Tensor, indices: np.ndarray, marked: Tensor) -> Tensor:
        """Cross-entropy both ways; a marked picture has its wrong caption as one candidate more.

        Only that picture: what is wrong of one material may be true of another in the batch.
        """
        same = torch.from_numpy(self.meaning[indices][:, None] == self.meaning[indices][None])
        target = (same / same.sum(1, keepdim=True)).to(logits.device)
        extra = torch.full_like(logits[:, :1], NEVER)
        extra = extra.index_put((marked.to(logits.device), torch.zeros_like(marked).to(logits.device)), wrong)
        to_text = F.cross_entropy(torch.cat([logits, extra], 1), F.pad(target, (0, 1)))
        return (to_text + F.cross_entropy(logits.T, target)) / 2

    def _views(self, indices: np.ndarray, draw: np.random.Generator) -> Tensor:
        side = int(draw.choice([self.cfg.image_px, 128, 192, self.data.size_px]))
        side = min(side, self.data.size_px)
        x = self.data.batch(indices, draw, side).to(self.compute.device)
        return views(
            x, self.cfg.image_px, draw, lit=self.cfg.lit, noise=self.cfg.noise, scale=self.data.size_px
        )

    def _label_loss(self, embedding: Tensor, indices: np.ndarray) -> Tensor:
        family, colour = self.family[indices].to(embedding.device), self.colour[indices].to(embedding.device)
        loss = F.cross_entropy(self.heads["family"](embedding), family)
        return loss + F.cross_entropy(self.heads["colour"](embedding), colour)

    def state(self) -> dict[str, Any]:
        return {**super().state(), "heads": self.heads.state_dict()}

    def restore(self, state: dict[str, Any]) -> None:
        super().restore(state)
        self.heads.load_state_dict(state["heads"])

    def export(self, folder: Path) -> None:
        """Writes what open_clip opens as "local-dir:FOLDER": configuration and float16 weights.

        Where a teacher gave unread words a meaning, known.json says which of them count as known.
        """
        folder.mkdir(parents=True, exist_ok=True)
        weights = dict(self.average.values)
        weights["token_embedding.weight"] = self._table(weights)
        halves = {k: (v.half() if v.is_floating_point() else v).contiguous() for k, v in weights.items()}
        config = {"model_cfg": architecture(self.cfg, FULL_VOCABULARY), "preprocess_cfg": PREPROCESS}
        (folder / "open_clip_config.json").write_text(json.dumps(config, indent=2) + "\n", "utf-8")
        partial = folder / "partial.safetensors"
        save_file(halves, partial)
        partial.replace(folder / "open_clip_model.safetensors")
        (folder / FILE).unlink(missing_ok=True)  # of weights that were here before
        if self.meanings is not None:
            known.write(folder, self.data.params, self.vocabulary.words, self.compute)

    def _table(self, weights: dict[str, Tensor]) -> Tensor:
        """Takes the trained tokens out of the weights and gives the full table instead."""
        if self.meanings is None:
            return self.vocabulary.expand(weights.pop("token_embedding.weight").cpu())
        mix, delta = (weights.pop(f"token_embedding.{name}").cpu() for name in ("mix", "delta"))
        table = rows(self.vocabulary.select(self.meanings), mix, delta)
        return self.vocabulary.expand(table, rows(self.meanings, mix))
