"""What a starter CLIP reads: the tokens that captions use, and going on from tables of an older one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import open_clip
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from engine.models.known import words_of
from engine.starter.materials import Params
from engine.starter.training.teacher import rows

CONTEXT = 32
FULL_VOCABULARY = 49408

Captioner = Callable[[Params, np.random.Generator], str]


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
