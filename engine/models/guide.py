"""CLIP models through open_clip: the guide in the loss, the judge in the ranking."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import open_clip
import torch
from safetensors import SafetensorError
from torch import Tensor
from torch.nn import functional as F  # the field's name for it

from engine.compute import Compute
from engine.errors import BadWeights
from engine.models import known as known_words, towers  # noqa: F401  # towers: registers ours with timm
from engine.models.known import Known, words_of


class Clip:
    """One CLIP, frozen, with its own normalisation.

    Args:
        name: anything open_clip knows: "ViT-B-32", "local-dir:FOLDER", "hf-hub:owner/name".
        pretrained: open_clip's tag, or a checkpoint file, for names without a schema.
        compute: where it runs.
        known: what it can read; from known.json in its folder unless given.

    Raises:
        BadWeights: open_clip cannot build the model or load its weights.
    """

    def __init__(
        self, name: str, compute: Compute, pretrained: str | None = None, known: Known | None = None
    ) -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                self.model = open_clip.create_model(
                    name, pretrained, require_pretrained=True, force_quick_gelu=_quick_gelu(name, pretrained)
                )
                self._tokenizer = open_clip.get_tokenizer(name)
        except (RuntimeError, ValueError, OSError, KeyError, SafetensorError) as error:
            raise BadWeights(
                f"The CLIP model {name.rsplit('/', 1)[-1]!r} cannot be loaded. Install its pack again.",
                field="pack",
                details=str(error),
            ) from error
        self.model.eval().requires_grad_(False).to(compute.device)
        self.compute = compute
        folder = name.removeprefix("local-dir:")
        self.known = known or (known_words.read(Path(folder)) if folder != name else None)
        cfg = self.model.visual.preprocess_cfg
        self.size_px: int = cfg["size"][0] if isinstance(cfg["size"], (tuple, list)) else cfg["size"]
        self.resize_mode: str = cfg["resize_mode"]
        mean, std = (torch.tensor(cfg[k], device=compute.device).view(3, 1, 1) for k in ("mean", "std"))
        self._mean, self._std = mean, std

    def encode_image(self, views: Tensor) -> Tensor:
        """Views (N, 3, size_px, size_px) in 0..1 sRGB → unit embeddings (N, D), float32."""
        with self.compute.autocast():
            e = self.model.encode_image((views - self._mean) / self._std)
        return F.normalize(e.float(), dim=-1)

    @torch.no_grad()
    def encode_text(self, texts: Sequence[str]) -> Tensor:
        """Texts → unit embeddings (N, D), float32. Longer ones are cut at the context length."""
        tokens = self._tokenizer(list(texts)).to(self.compute.device)
        return F.normalize(self.model.encode_text(tokens).float(), dim=-1)

    def unknown_words(self, text: str) -> list[str]:
        """Words of a text that mean nothing to this model, in order.

        Training never used them and, by their token rows, they are near none that it did. Published
        models have read everything: for them the answer is always empty.
        """
        words = list(dict.fromkeys(words_of(text)))
        if self.known is None:
            return self._without_row(words)
        read = {*self.known.words, *known_words.FUNCTION_WORDS}
        strange = [w for w in words if w not in read]
        near = (self.closeness(strange) >= self.known.threshold).tolist() if strange else []
        return [w for w, known in zip(strange, near, strict=True) if not known]

    def closest_known(self, text: str) -> str | None:
        """The canonical noun nearest to a word or text by token rows; None where nouns are not known."""
        if self.known is None or not self.known.nouns or not words_of(text):
            return None
        names = [(noun, name) for name, others in self.known.nouns.items() for noun in (name, *others)]
        cosines = self._meanings([noun for noun, _ in names]) @ self._meanings([text])[0]
        return names[int(cosines.argmax())][1]

    def closeness(self, words: Sequence[str]) -> Tensor:
        """Cosine of each word's token rows to those of the nearest word that it was taught, (N,)."""
        assert self.known is not None
        return (self._meanings(words) @ self._meanings(self.known.near).T).amax(1)

    def _meanings(self, texts: Sequence[str]) -> Tensor:
        """Mean of a text's token rows, function words left out → unit vectors (N, width)."""
        table = self.model.token_embedding.weight.float()
        told = [" ".join(w for w in words_of(t) if w not in known_words.FUNCTION_WORDS) or t for t in texts]
        tokens = self._tokenizer(told).to(table.device)
        place = torch.arange(tokens.shape[1], device=table.device)
        inside = ((place > 0) & (place < tokens.argmax(1, keepdim=True))).unsqueeze(-1)
        return F.normalize((table[tokens] * inside).sum(1), dim=-1)

    def _without_row(self, words: Sequence[str]) -> list[str]:
        """Words with a token that shares its row with most others: how older weights mark the unread."""
        table = self.model.token_embedding.weight
        repeated = (table[1:] == table[:-1]).all(-1).nonzero().flatten()
        if len(repeated) < len(table) // 2 or not words:
            return []
        nothing = table[repeated[len(repeated) // 2]]
        tokens = self._tokenizer(words)
        unread = [bool((table[t[1 : int(t.argmax())]] == nothing).all(-1).any()) for t in tokens]
        return [w for w, lost in zip(words, unread, strict=True) if lost]

    def encode_templates(self, text: str, templates: Sequence[str]) -> Tensor:
        """One text, averaged over templates with a {} for it → unit embedding (D,).

        Prompt ensembling, Radford et al. 2021, section 3.1.4.
        """
        return F.normalize(self.encode_text([t.replace("{}", text) for t in templates]).mean(0), dim=0)


def _quick_gelu(name: str, pretrained: str | None) -> bool:
    """The activation that a tag was trained with: open_clip knows it, and only warns where a name differs."""
    known = pretrained is not None and open_clip.is_pretrained_cfg(name, pretrained)
    return known and bool(open_clip.get_pretrained_cfg(name, pretrained).get("quick_gelu", False))
