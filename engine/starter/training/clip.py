"""The starter's guide and judge: small CLIPs on rendered materials and fresh captions."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from pydantic import BaseModel, ConfigDict
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F  # the field's name for it

from engine.compute import Compute
from engine.material.relief import decode_relief
from engine.models import towers  # noqa: F401  # registers our towers with timm
from engine.models.known import FILE, words_of
from engine.starter import captions
from engine.starter.data import Materials, labels
from engine.starter.materials import COLOURS, FAMILIES, Params
from engine.starter.training import known
from engine.starter.training.loop import Average, rng, warm_cosine
from engine.starter.training.teacher import TaughtEmbedding, rows

CONTEXT = 32
TEXT = {"context_length": CONTEXT, "width": 96, "heads": 4, "layers": 4}
PREPROCESS = {"mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]}
FULL_VOCABULARY = 49408
STRIDE = 1.25
"""Of the radius, for the one step towards the worst view: Wong et al. 2020, section 4."""

NEVER = -1e4
"""A logit for what is no candidate; not infinite, since targets of 0 multiply it."""

Captioner = Callable[[Params, np.random.Generator], str]


class ClipTraining(BaseModel):
    """How one CLIP is trained. Guide and judge differ in tower, seed and materials."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    tower: str
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
    part: tuple[int, int] = (0, 2)  # uses materials whose index, modulo the second, is not the first


GUIDE = ClipTraining(name="guide", tower="patina_texture_net", seed=11, part=(0, 4))
JUDGE = ClipTraining(
    name="judge", tower="patina_texture_net_deep", seed=23, part=(2, 4), steps=1200, withheld=True
)


class Vocabulary:
    """The few hundred tokens that captions use, numbered densely, in open_clip's own order.

    Training on these rows only, and one row for everything else, keeps the optimiser off 49,408 rows
    that would never see a gradient. Afterwards the table is written out in full: a token that no
    caption used gets the row that its meaning gives it or, without a teacher, the row of the unknown
    one, so that it says nothing instead of something random.
    """

    def __init__(self, params: list[Params], caption: Captioner, captions_per_material: int = 4) -> None:
        self.tokenizer = open_clip.SimpleTokenizer(context_length=CONTEXT)
        draw = np.random.default_rng(0)
        texts = [caption(p, draw) for p in params for _ in range(captions_per_material)]
        self.words = Counter(word for text in texts for word in words_of(text))
        seen = self.tokenizer(texts).unique()
        self.unknown = len(seen) - 2  # before start and end, whose order must stay: the end is the largest
        self.ids = torch.cat([seen[:-2], torch.tensor([-1]), seen[-2:]])
        self.compact = torch.full((FULL_VOCABULARY,), self.unknown)
        self.compact[self.ids[self.ids >= 0]] = torch.arange(len(self.ids))[self.ids >= 0]

    def __len__(self) -> int:
        return len(self.ids)

    def encode(self, texts: list[str], draw: np.random.Generator, unknown: float, bare: float) -> Tensor:
        """Texts → dense token numbers (N, CONTEXT), some words made unknown, some made bare (negative)."""
        tokens = self.compact[self.tokenizer(texts)]
        words = (tokens > 0) & (tokens < len(self) - 2)
        chance = torch.from_numpy(draw.random(tokens.shape))
        tokens = torch.where(words & (chance < unknown), self.unknown, tokens)
        return torch.where(words & (chance > 1 - bare), -tokens, tokens)

    def select(self, full: Tensor) -> Tensor:
        """Full table (49408, width) → its dense rows; the unknown one is zero."""
        return full[self.ids] * (self.ids >= 0).unsqueeze(-1)

    def expand(self, table: Tensor, unused: Tensor | None = None) -> Tensor:
        """Trained rows (len(self), width) → the full table (49408, width).

        Args:
            table: the dense rows.
            unused: full table that the rows of all other tokens come from; None for the unknown row.
        """
        full = table[self.compact] if unused is None else unused.clone()
        full[self.ids[self.ids >= 0]] = table[self.ids >= 0]
        return full


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
        "text_cfg": {**TEXT, "vocab_size": vocabulary},
    }


def views(x: Tensor, px: int, draw: np.random.Generator, *, lit: float, noise: float, scale: float) -> Tensor:
    """Maps (B, 8, S, S) 0..1 → pictures (B, 3, px, px) as a camera might see them.

    Some stay bare base colour; the others get one light from a random direction with a highlight, a
    sketch of `material/shading.py` that costs next to nothing. Colours stay: they are labels.
    """
    B = len(x)
    base, height, rough = x[:, :3], x[:, 3:4], x[:, 4:5]
    slope = decode_relief(x[:, -1:]) * scale
    dx = (height.roll(-1, 3) - height.roll(1, 3)) * slope / 2
    dy = (height.roll(-1, 2) - height.roll(1, 2)) * slope / 2
    azimuth, polar = (
        torch.from_numpy(draw.uniform(a, b, (B, 1, 1, 1))).float() for a, b in ((0, 6.28), (0.4, 1.0))
    )
    light = [polar.sin() * azimuth.cos(), polar.sin() * azimuth.sin(), polar.cos()]
    n_l = (light[2] - dx * light[0] - dy * light[1]) / (1 + dx**2 + dy**2).sqrt()
    shine = ((n_l - light[2] + 1).clamp(0, 1.2) ** 24) * (1 - rough) ** 2 * 0.5
    shaded = (base * (0.35 + 0.85 * n_l.clamp(min=0)) + shine).clamp(0, 1)
    is_lit = torch.from_numpy(draw.random((B, 1, 1, 1)) < lit)
    seen = torch.where(is_lit, shaded, base)
    seen = F.interpolate(seen, (px, px), mode="bilinear", antialias=True, align_corners=False)
    gain = torch.from_numpy(draw.uniform(0.92, 1.08, (B, 3, 1, 1))).float()
    sigma = torch.from_numpy(draw.uniform(0, noise, (B, 1, 1, 1))).float()
    return seen * gain + sigma * torch.from_numpy(draw.standard_normal(seen.shape, np.float32))


@dataclass(frozen=True)
class Outcome:
    """A batch's loss, and what is worth watching of it."""

    loss: Tensor
    figures: dict[str, float]


class ClipStage:
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
        self.mine = np.array([i for i in range(len(data)) if i % cfg.part[1] != cfg.part[0]])
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
        change = torch.from_numpy(draw.standard_normal(pictures.shape, np.float32))
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
        mean, std = (torch.tensor(PREPROCESS[k]).view(3, 1, 1) for k in ("mean", "std"))
        with self.compute.autocast():
            seen = ((pictures - mean) / std).to(self.compute.device)
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
        x = self.data.batch(indices, draw, side)
        return views(
            x, self.cfg.image_px, draw, lit=self.cfg.lit, noise=self.cfg.noise, scale=self.data.size_px
        )

    def _label_loss(self, embedding: Tensor, indices: np.ndarray) -> Tensor:
        family, colour = self.family[indices].to(embedding.device), self.colour[indices].to(embedding.device)
        loss = F.cross_entropy(self.heads["family"](embedding), family)
        return loss + F.cross_entropy(self.heads["colour"](embedding), colour)

    def state(self) -> dict[str, Any]:
        return {
            "model": self.model.state_dict(),
            "heads": self.heads.state_dict(),
            "average": self.average.values,
            "adam": self.adam.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.heads.load_state_dict(state["heads"])
        self.average.values = state["average"]
        self.adam.load_state_dict(state["adam"])

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


def start_from(model: nn.Module, folder: Path, vocabulary: Vocabulary, meanings: Tensor | None) -> None:
    """Copies an exported CLIP: every tensor of the same name and shape, and what it knows of each token."""
    own = model.state_dict()
    found = {k: v.float() for k, v in load_file(folder / "open_clip_model.safetensors").items()}
    table = found.pop("token_embedding.weight", None)
    fitting = {k: v.to(own[k].dtype) for k, v in found.items() if k in own and own[k].shape == v.shape}
    if table is not None and table.shape[1] == own["ln_final.weight"].shape[0]:
        fitting |= _tokens_of(table, vocabulary, meanings)
    model.load_state_dict({**own, **fitting})


def _tokens_of(table: Tensor, vocabulary: Vocabulary, meanings: Tensor | None) -> dict[str, Tensor]:
    """What `TaughtEmbedding`, or a plain table where there are no meanings, makes a full table from.

    Most rows are of tokens that no caption used, meanings @ mix and nothing else: they tell the mix.
    """
    unread = torch.ones(len(table), dtype=torch.bool)
    unread[vocabulary.ids[vocabulary.ids >= 0]] = False
    if meanings is None:
        dense = vocabulary.select(table)
        dense[vocabulary.unknown] = table[unread][0]
        return {"token_embedding.weight": dense}
    mix = torch.linalg.lstsq(meanings[unread], table[unread]).solution
    delta = vocabulary.select(table) - rows(vocabulary.select(meanings), mix)
    return {"token_embedding.mix": mix, "token_embedding.delta": delta}
