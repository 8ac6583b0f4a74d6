"""Zero-shot tags: what a CLIP reads off the embedding of a texture, facet by facet, with confidence.

Material first, by ensembles of prompts. The other facets are asked about in the words that the material
takes: "mossy cobblestones" is compared with "cobblestones", which tells moss from what goes with stones
anyway, and the answers of the likeliest materials are averaged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.library import vocabulary
from engine.library.calibration import Calibration, unfitted
from engine.library.tags import SHOWN, Tag
from engine.library.vocabulary import CONDITIONS, FINISHES, MATERIALS, PATTERN_WORDS, PATTERNS
from engine.models.guide import Clip
from engine.starter.materials import COLOURS

LIKELIEST = 3
"""Materials in whose words the other facets are asked about."""

FEATURES = {"condition": 3, "finish": 2, "pattern": 2, "word": 1}
DETAILS = (*COLOURS, *CONDITIONS, *FINISHES)


def fingerprint(clip: Clip) -> str:
    """16 hex digits that no two models share: of the names, shapes and values of all weights."""
    digest = hashlib.sha256()
    for name, x in clip.model.state_dict().items():
        digest.update(f"{name}{tuple(x.shape)}".encode())
        digest.update(x.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]


def classify(clip: Clip, pictures: Tensor, labels: Sequence[str]) -> Tensor:
    """CLIP's own classification: which of these labels a picture shows.

    Args:
        clip: any CLIP.
        pictures: embeddings (N, D), unit length.
        labels: whole phrases, such as "a photo of a cat".

    Returns:
        (N, L), rows sum to 1.

    Source: Radford et al. 2021, section 3.1.2, with the temperature that the model was trained with.
    """
    return (logit_scale(clip) * pictures @ clip.encode_text(labels).T).softmax(-1)


def logit_scale(clip: Clip) -> float:
    """What a model multiplies cosines by before the softmax."""
    return float(clip.model.logit_scale.detach().float().exp())


class Tagger:
    """Reads tags off embeddings. Texts are encoded once, those of a material when it first comes up.

    Args:
        clip: the model whose embeddings are read.
        calibration: of this model; without one, confidences are the model's own guess.
        words: further words, of the user's own.
    """

    def __init__(self, clip: Clip, calibration: Calibration | None, words: Sequence[str] = ()) -> None:
        self.clip, self.words = clip, tuple(words)
        self.calibration = calibration or unfitted("", logit_scale(clip), FEATURES)
        nouns = [self._ensemble(material.nouns) for material in MATERIALS]
        self._materials = torch.stack(nouns)  # (M, D)
        self._patterns = torch.stack([self._ensemble(words) for words in PATTERN_WORDS.values()])
        self._membership = torch.tensor(
            [[vocabulary.has_pattern(p, f) for p in PATTERNS] for f in vocabulary.FAMILIES],
            dtype=torch.float32,
            device=self._materials.device,
        )  # (M, patterns)
        self._conditions = torch.stack([self._ensemble((word,)) for word in CONDITIONS])
        self._neutral = F.normalize(clip.encode_text(vocabulary.NEUTRAL).mean(0), dim=0)
        self._words = torch.stack([self._ensemble((w,)) for w in self.words]) if words else None
        self._details: dict[int, Tensor] = {}

    def __call__(self, embeddings: Tensor) -> list[list[Tag]]:
        """Tags from `SHOWN` upwards, surest first within a facet; a material and a colour at least.

        Args:
            embeddings: of textures, (N, D), unit length.
        """
        found = self.confidences(embeddings)
        return [self._shown({facet: p[i] for facet, p in found.items()}) for i in range(len(embeddings))]

    def confidences(self, embeddings: Tensor) -> dict[str, Tensor]:
        """By facet, (N, labels); rows of exclusive facets sum to 1."""
        c, embeddings = self.calibration, embeddings.to(self._materials.device)
        material = self.material(embeddings)
        found = {"material": material, "colour": self.colour(embeddings, material, c.temperature["colour"])}
        for facet, x in self.features(embeddings, material).items():
            found[facet] = c.curves[facet](x)
        return found

    def labels(self, facet: str) -> tuple[str, ...]:
        """The tags of a facet, in the order of its columns."""
        return self.words if facet == "word" else vocabulary.LABELS[facet]

    def material_cosines(self, embeddings: Tensor) -> Tensor:
        """(N, materials)."""
        return embeddings @ self._materials.T

    def material(self, embeddings: Tensor) -> Tensor:
        """Probabilities (N, materials)."""
        return (self.material_cosines(embeddings) / self.calibration.temperature["material"]).softmax(-1)

    def colour(self, embeddings: Tensor, material: Tensor, temperature: float) -> Tensor:
        """Probabilities (N, colours): those within each likely material, by its probability."""
        parts = []
        for e, (weights, details) in zip(embeddings, self._likely(material), strict=True):
            cosines = details[:, 1 : 1 + len(COLOURS)] @ e  # (K, colours)
            parts.append(weights @ (cosines / temperature).softmax(-1))
        return torch.stack(parts)

    def features(self, embeddings: Tensor, material: Tensor) -> dict[str, Tensor]:
        """What the curves of facets with several labels take, each (N, labels, `FEATURES`)."""
        first = 1 + len(COLOURS)
        contrasts = []
        for e, (weights, details) in zip(embeddings, self._likely(material), strict=True):
            cosines = details @ e  # (K, 1 + details)
            contrasts.append(weights @ (cosines[:, first:] - cosines[:, :1]))
        contrast = torch.stack(contrasts)
        neutral = (embeddings @ self._neutral)[:, None]
        sure = material.amax(-1, keepdim=True)
        parts = {
            "condition": (
                contrast[:, : len(CONDITIONS)],
                embeddings @ self._conditions.T - neutral,
                sure,
            ),
            "finish": (contrast[:, len(CONDITIONS) :], sure),
            "pattern": (
                embeddings @ self._patterns.T - neutral,
                (material @ self._membership).clamp(0.003, 0.997).logit(),
            ),
        }
        found = {k: torch.stack(torch.broadcast_tensors(*pair), -1) for k, pair in parts.items()}
        if self._words is not None:
            found["word"] = self.word_features(embeddings, self._words)
        return found

    def word_features(self, embeddings: Tensor, words: Tensor) -> Tensor:
        """How much nearer a word is than nothing in particular, (N, words, 1)."""
        return (embeddings @ words.T - (embeddings @ self._neutral)[:, None])[..., None]

    def common_words(self) -> tuple[tuple[str, ...], Tensor]:
        """Words of the vocabulary asked about as if they were the user's: texts, and embeddings (L, D)."""
        texts = (*vocabulary.LABELS["material"], *CONDITIONS)
        return texts, torch.cat([self._materials, self._conditions])

    def _likely(self, material: Tensor) -> list[tuple[Tensor, Tensor]]:
        """By texture: probabilities (K,) of its likeliest materials, and their texts (K, 1 + details, D)."""
        p, which = material.topk(LIKELIEST, -1)
        p = p / p.sum(-1, keepdim=True)
        return [(p[i], torch.stack([self._of(m) for m in which[i].tolist()])) for i in range(len(p))]

    def _of(self, material: int) -> Tensor:
        """The bare noun of a material, then with every detail before it, (1 + details, D)."""
        if material not in self._details:
            noun = MATERIALS[material].tag
            self._details[material] = self.clip.encode_text([noun, *(f"{d} {noun}" for d in DETAILS)])
        return self._details[material]

    def _ensemble(self, words: Sequence[str]) -> Tensor:
        """Words of one meaning in all templates, averaged, (D,)."""
        texts = [t.replace("{}", word) for word in words for t in vocabulary.TEMPLATES]
        return F.normalize(self.clip.encode_text(texts).mean(0), dim=0)

    def _shown(self, confidences: dict[str, Tensor]) -> list[Tag]:
        tags = []
        for facet, p in confidences.items():
            best, order = p.sort(descending=True)
            least = 1 if facet in vocabulary.EXCLUSIVE else 0
            for rank, (confidence, which) in enumerate(zip(best.tolist(), order.tolist(), strict=True)):
                if confidence < SHOWN and rank >= least:
                    break
                tags.append(Tag(facet, self.labels(facet)[which], round(confidence, 4)))
        return tags
