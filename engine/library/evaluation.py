"""How well tags and search do on a folder of materials that nothing was trained on, with known truth."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from engine.errors import BadIndex
from engine.library import fitting, index, vocabulary
from engine.library.eye import Eye
from engine.library.fitting import SIZE_PX, Truth
from engine.library.index import Step
from engine.library.search import Matrix, best
from engine.library.store import Store, index_file
from engine.library.tags import SHOWN
from engine.material.files import write_json, write_picture
from engine.models.guide import Clip
from engine.starter import dataset
from engine.starter.captions import canonical
from engine.starter.data import noun
from engine.starter.materials import Params, another, render

FIRST_SEED = 8_000_000
OTHER_SEED = 1_000_000_007
"""Added to a material's seed, for a picture of the same kind of material."""

TRUTH = "params.json"
BARE = 3
"""One material in so many is a plain picture; the others come with maps."""

DEPTH = 10


def evaluate(clip: Clip, work: Path, count: int, tell: Callable[[Step], None]) -> dict[str, Any]:
    """Makes the folder, indexes it as a user's would be, and asks it about what is in it.

    Args:
        clip: any CLIP.
        work: for materials and index; what is there is not made again.
        count: how many materials, of combinations of material and colour that training never saw.
        tell: hears how far each part is.

    Returns:
        Shares of queries by "caption" (the material's canonical caption), "colour_and_material" and
        "picture" (of another seed) whose answer is first, or among ten; precision and recall of tags by
        facet; calibration error by facet; textures indexed a second.
    """
    for k in range(count):
        if not (work / "textures" / f"{k:05d}" / TRUTH).exists():
            _make(work / "textures" / f"{k:05d}", k)
        tell(Step(k + 1, count))
    eye = Eye(clip, work)
    with Store(index_file(work, eye.model)) as store:
        steps = index.update(store, [work / "textures"], eye)
        while True:
            try:
                tell(next(steps))
            except StopIteration as end:
                report = end.value
                break
        matrix = Matrix.of(store)
        numbers = [int(k.files["basecolor"].parent.name) for k in store.known(matrix.ids.tolist())]
        badges = [k.badges for k in store.known(matrix.ids.tolist())]
    kept = [row for row, number in enumerate(numbers) if number < count]
    matrix = replace(matrix, ids=matrix.ids[kept], vectors=matrix.vectors[kept])
    names = [f"{numbers[row]:05d}" for row in kept]
    params = {name: read_truth(work / "textures" / name) for name in names}
    looked = {key: value for key, value in report.as_dict().items() if key in ("added", "per_second")}
    return {
        "model": eye.model,
        "calibrated": eye.calibrated,
        "materials": len(params),
        "indexed": looked,
        "search": {
            **_by_words(clip, matrix.vectors, list(params.values())),
            "picture": _by_picture(eye, matrix.vectors, params, work / "others", tell),
        },
        "tags": tag_figures(eye, matrix.vectors, fitting.truth_of(list(params.values()))),
        "seamless": float(np.mean([badges[row]["seamless"] for row in kept])),
        "light": {
            kind: float(np.mean([badges[row]["light"] == kind for row in kept]))
            for kind in ("flat", "lit", "unknown")
        },
    }


def read_truth(folder: Path) -> Params:
    """What the material in a folder was made of.

    Raises:
        BadIndex: nothing says so.
    """
    try:
        return json.loads((folder / TRUTH).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BadIndex(f"{folder} has no readable {TRUTH}. Delete it.", details=repr(error)) from error


def tag_figures(eye: Eye, embeddings: Tensor, truth: Truth) -> dict[str, Any]:
    """Precision and recall of tags that are shown, share of right first tags, calibration error."""
    found = eye.tagger.confidences(embeddings)
    ece = fitting.measure_ece(eye.tagger, embeddings, truth)
    figures: dict[str, Any] = {}
    for facet in ece:
        p, holds = found[facet].cpu(), getattr(truth, facet)
        exclusive = facet in vocabulary.EXCLUSIVE
        if exclusive:
            first = float((p.argmax(-1) == holds).float().mean())
            holds = torch.nn.functional.one_hot(holds, p.shape[-1]).float()
            shown = (p >= SHOWN) | (p == p.amax(-1, keepdim=True))
        else:
            shown = p >= SHOWN
        right = float((shown * holds).sum())
        figures[facet] = {
            "precision": right / max(1, int(shown.sum())),
            "recall": right / max(1.0, float(holds.sum())),
            "shown": int(shown.sum()),
            "true": int(holds.sum()),
            "ece": ece[facet],
            **({"first_is_right": first} if exclusive else {}),
        }
    return figures


def recall(ranks: list[int]) -> dict[str, float]:
    """Shares of queries whose answer is first, and among the first ten; rank 0 is the first."""
    return {
        "queries": len(ranks),
        "at_1": float(np.mean([r == 0 for r in ranks])),
        f"at_{DEPTH}": float(np.mean([r < DEPTH for r in ranks])),
    }


def rank(vectors: Tensor, query: Tensor, right: Tensor) -> int:
    """At which place (from 0) the first right texture is found; right: (N,) bool."""
    rows, _ = best(vectors, [(query, 1.0)], len(vectors))
    return int(right[rows].nonzero()[0])


def _by_words(clip: Clip, vectors: Tensor, params: list[Params]) -> dict[str, Any]:
    captions = [canonical(p) for p in params]
    names = [f"{p['colour']} {noun(p['family'])}" for p in params]
    own, same, pairs = [], [], []
    for i, query in enumerate(clip.encode_text(captions).cpu()):
        own.append(rank(vectors, query, torch.arange(len(vectors)) == i))
        same.append(rank(vectors, query, torch.tensor([c == captions[i] for c in captions])))
    distinct = sorted(set(names))
    for name, query in zip(distinct, clip.encode_text(distinct).cpu(), strict=True):
        pairs.append(rank(vectors, query, torch.tensor([n == name for n in names])))
    return {
        "caption": recall(own),
        "caption_or_one_that_reads_the_same": recall(same),
        "colour_and_material": recall(pairs),
    }


def _by_picture(
    eye: Eye, vectors: Tensor, params: dict[str, Params], work: Path, tell: Callable[[Step], None]
) -> dict[str, float]:
    ranks = []
    for i, (name, p) in enumerate(params.items()):
        path = work / f"{name}.png"
        if not path.exists():
            write_picture(path, _picture(render(another(p, p["seed"] + OTHER_SEED), SIZE_PX).basecolor))
        with Image.open(path) as picture:
            x = torch.from_numpy(np.asarray(picture.convert("RGB"), np.float32) / 255)
        query = eye.embed(x.permute(2, 0, 1)[None])[0]
        ranks.append(rank(vectors, query, torch.arange(len(vectors)) == i))
        tell(Step(i + 1, len(params)))
    return recall(ranks)


def _make(folder: Path, number: int) -> None:
    """One material as a user would have it: a picture, with or without maps, named as Poly Haven does."""
    material = render(dataset.params_for(FIRST_SEED + number, held_out=True), SIZE_PX)
    write_picture(folder / "surface_diff.png", _picture(material.basecolor))
    if number % BARE:
        write_picture(folder / "surface_disp.png", _picture(material.height))
        write_picture(folder / "surface_rough.png", _picture(material.roughness))
        write_picture(folder / "surface_metal.png", _picture(material.metallic))
    write_json(folder / "surface.json", {"relief": material.relief})
    write_json(folder / TRUTH, dict(material.params))


def _picture(values: np.ndarray) -> Image.Image:
    return Image.fromarray((np.clip(values, 0, 1) * 255 + 0.5).astype(np.uint8))
