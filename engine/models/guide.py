"""CLIP models through open_clip: the guide in the loss, the judge in the ranking."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence

import open_clip
import torch
from safetensors import SafetensorError
from torch import Tensor
from torch.nn import functional as F  # the field's name for it

from engine.compute import Compute
from engine.errors import BadWeights
from engine.models import towers  # noqa: F401  # registers our towers with timm


class Clip:
    """One CLIP, frozen, with its own normalisation.

    Args:
        name: anything open_clip knows: "ViT-B-32", "local-dir:FOLDER", "hf-hub:owner/name".
        pretrained: open_clip's tag, or a checkpoint file, for names without a schema.
        compute: where it runs.

    Raises:
        BadWeights: open_clip cannot build the model or load its weights.
    """

    def __init__(self, name: str, compute: Compute, pretrained: str | None = None) -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                self.model = open_clip.create_model(name, pretrained, require_pretrained=True)
                self._tokenizer = open_clip.get_tokenizer(name)
        except (RuntimeError, ValueError, OSError, KeyError, SafetensorError) as error:
            raise BadWeights(
                f"The CLIP model {name.rsplit('/', 1)[-1]!r} cannot be loaded. Install its pack again.",
                field="pack",
                details=str(error),
            ) from error
        self.model.eval().requires_grad_(False).to(compute.device)
        self.compute = compute
        cfg = self.model.visual.preprocess_cfg
        self.size_px: int = cfg["size"][0] if isinstance(cfg["size"], (tuple, list)) else cfg["size"]
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
        """Words of a text that this model never saw in training, in order.

        The starter's token table gives all tokens without training the same row, so that they say
        nothing; published models have no such rows, and for them the answer is always empty.
        """
        table = self.model.token_embedding.weight
        repeated = (table[1:] == table[:-1]).all(-1).nonzero().flatten()
        if len(repeated) < len(table) // 2:
            return []
        nothing = table[repeated[len(repeated) // 2]]
        words = re.findall(r"[^\W\d_]+", text.lower())
        tokens = self._tokenizer(words) if words else []
        unknown = [bool((table[t[1 : int(t.argmax())]] == nothing).all(-1).any()) for t in tokens]
        return list(dict.fromkeys(w for w, lost in zip(words, unknown, strict=True) if lost))

    def encode_templates(self, text: str, templates: Sequence[str]) -> Tensor:
        """One text, averaged over templates with a {} for it → unit embedding (D,).

        Prompt ensembling, Radford et al. 2021, section 3.1.4.
        """
        return F.normalize(self.encode_text([t.replace("{}", text) for t in templates]).mean(0), dim=0)
