"""Fits a model's calibration on procedural materials that it was taught to name, but did not see.

Half of them are of pairs of material and colour that training never showed: how sure a model may be of the
best of many labels is fitted on these alone, as it is surer of what it knows than of what an artist has.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import normalize, one_hot

from engine.library import vocabulary
from engine.library.badges import light_features
from engine.library.calibration import (
    Calibration,
    Curve,
    expected_calibration_error,
    file_name,
    fit_curve,
    fit_temperature,
)
from engine.library.tagging import FEATURES, Tagger, fingerprint
from engine.material.files import write_json
from engine.material.maps import DecodedMaps
from engine.material.relief import decode_relief
from engine.material.shading import random_lights, shade
from engine.models.guide import Clip
from engine.starter import dataset
from engine.starter.data import Materials
from engine.starter.embedding import embed
from engine.starter.materials import COLOURS, Params

FIRST_SEED = 7_000_000
"""Far from those of training and of evaluation."""

SIZE_PX = 256
MATERIALS = 384
CHECKED = 4
"""One unseen pair in so many is kept from a first fit, to measure how good confidences are."""

LIGHT_SEED = 5
LIGHT_RIDGE = 10.0
"""The rule of light has a weight for every dimension of an embedding."""


@dataclass(frozen=True)
class Truth:
    """What holds of N materials, by facet: an index (N,) where one label does, else (N, labels), 0 or 1."""

    material: Tensor
    colour: Tensor
    condition: Tensor
    finish: Tensor
    pattern: Tensor
    word: Tensor  # of `Tagger.common_words`

    def of(self, rows: Tensor) -> Truth:
        """Some of the materials."""
        return Truth(**{name: x[rows] for name, x in vars(self).items()})


@dataclass(frozen=True)
class Looked:
    """What a model sees of N materials.

    Attributes:
        embeddings: (N, D), of every other one bare and lit together.
        light: features (2N, F) of every material bare, then lit.
        lit: (2N,), 0 or 1.
    """

    embeddings: Tensor
    light: Tensor
    lit: Tensor


@dataclass(frozen=True)
class Shown:
    """Materials, and what a model sees of them."""

    params: list[Params]
    looked: Looked

    @property
    def truth(self) -> Truth:
        """What holds of them."""
        return truth_of(self.params)


def truth_of(params: list[Params]) -> Truth:
    """From what the materials were made of."""
    v = vocabulary
    material = torch.tensor([v.FAMILIES.index(p["family"]) for p in params])
    condition = torch.tensor([[c in p["modifiers"] for c in v.CONDITIONS] for p in params]).float()
    return Truth(
        material=material,
        colour=torch.tensor([COLOURS.index(p["colour"]) for p in params]),
        condition=condition,
        finish=torch.tensor([[f == p["finish"] for f in v.FINISHES] for p in params]).float(),
        pattern=torch.tensor([[v.has_pattern(x, p["family"]) for x in v.PATTERNS] for p in params]).float(),
        word=torch.cat([one_hot(material, len(v.FAMILIES)).float(), condition], 1),
    )


def fit(clip: Clip, work: Path, count: int, say: Callable[[str, int, int], None]) -> Calibration:
    """The calibration of a model.

    Half of the materials are seen as bare colour, half as colour and under light, as in an index.

    Args:
        clip: the model.
        work: where the materials are rendered to; with the same folder, they are rendered once.
        count: how many.
        say: told what is being done, how far, of how many.
    """
    half = count // 2
    sets = []
    for name, held_out, before, size in (
        ("seen", False, 0, count - half),
        ("unseen", True, count - half, half),
    ):
        done = before
        plan = dataset.plan(work / name, size, FIRST_SEED, SIZE_PX, held_out=held_out)
        for n in dataset.write(plan):
            done += n
            say("rendering", done, count)
        data = Materials.open(work / name)
        looked = look(data, clip, partial(_tell_after, say, before, count))
        sets.append(Shown(data.params, looked))
    return fit_to(clip, *sets)


def _tell_after(
    say: Callable[[str, int, int], None], before: int, count: int, what: str, done: int, _: int
) -> None:
    say(what, before + done, count)


def fit_to(clip: Clip, seen: Shown, unseen: Shown) -> Calibration:
    """The calibration of a model from materials of pairs that training showed, and of others."""
    checked = checked_rows(unseen.params)
    trial = _fitted(clip, seen, unseen, ~checked)
    ece = measure_ece(trial, unseen.looked.embeddings[checked], unseen.truth.of(checked))
    ece["light"] = _light_ece(seen.looked)
    tagger = _fitted(clip, seen, unseen, torch.ones_like(checked))
    curves = {**tagger.calibration.curves, "light": light_curve(seen.looked.light, seen.looked.lit)}
    found = tagger.calibration.model_dump() | {
        "model": fingerprint(clip), "materials": len(seen.params) + len(unseen.params), "ece": ece,
        "curves": curves,
    }  # fmt: skip
    return Calibration.model_validate(found)


def checked_rows(params: list[Params]) -> Tensor:
    """Which materials a first fit does not see, (N,) bool: whole pairs of material and colour."""
    pairs = [(p["family"], p["colour"]) for p in params]
    kept = set(sorted(set(pairs))[::CHECKED])
    return torch.tensor([pair in kept for pair in pairs])


def write(calibration: Calibration, folder: Path) -> Path:
    """Writes a calibration where `calibration.read` looks for it.

    Raises:
        CannotWrite: the folder does not take files.
    """
    path = folder / file_name(calibration.model)
    write_json(path, calibration.model_dump(mode="json"))
    return path


def measure_ece(tagger: Tagger, embeddings: Tensor, truth: Truth) -> dict[str, float]:
    """Expected calibration error by facet: of the best label where one holds, else of all labels."""
    found = tagger.confidences(embeddings)
    ece = {}
    for facet in (*vocabulary.EXCLUSIVE, "condition", "finish", "pattern"):
        p, holds = found[facet].cpu(), getattr(truth, facet)
        if facet in vocabulary.EXCLUSIVE:
            p, best = p.max(-1)
            holds = best == holds
        ece[facet] = round(expected_calibration_error(p, holds.float()), 4)
    return ece


def _fitted(clip: Clip, seen: Shown, unseen: Shown, rows: Tensor) -> Tagger:
    """A tagger with everything but light fitted: curves on all that training showed, and on these unseen."""
    e, t = unseen.looked.embeddings[rows], unseen.truth.of(rows)
    tagger = Tagger(clip, None)
    tagger.calibration = tagger.calibration.model_copy(
        update={"temperature": {"material": fit_temperature(tagger.material_cosines(e).cpu(), t.material)}}
    )
    material = tagger.material(e)
    temperatures = [0.005 * 1.15**k for k in range(28)]  # 0.005 to 0.22
    losses = [float(_nll(tagger.colour(e, material, T).cpu(), t.colour)) for T in temperatures]
    colour = temperatures[losses.index(min(losses))]
    e, t = torch.cat([seen.looked.embeddings, e]), _joined(seen.truth, t)
    material = tagger.material(e)
    x = {name: f.cpu() for name, f in tagger.features(e, material).items()}
    x["word"] = tagger.word_features(e, tagger.common_words()[1]).cpu()
    curves: dict[str, Curve] = {
        facet: fit_curve(x[facet], getattr(t, facet), by_label=facet != "word") for facet in FEATURES
    }
    temperature = {**tagger.calibration.temperature, "colour": colour}
    tagger.calibration = Calibration(model="", temperature=temperature, curves=curves, materials=len(e))
    return tagger


def _joined(a: Truth, b: Truth) -> Truth:
    return Truth(**{name: torch.cat([x, getattr(b, name)]) for name, x in vars(a).items()})


def _nll(p: Tensor, truth: Tensor) -> Tensor:
    return -p.gather(1, truth[:, None]).clamp(min=1e-9).log().mean()


@torch.no_grad()
def look(data: Materials, clip: Clip, say: Callable[[str, int, int], None]) -> Looked:
    """What a model sees of rendered materials."""
    lights = torch.Generator().manual_seed(LIGHT_SEED)
    embeddings, light = [], []
    for i in range(len(data)):
        maps = maps_of(data, i)
        views = torch.cat([maps.basecolor, shade(maps, random_lights(lights, 1))])
        seen = embed(views.to(clip.compute.device), clip)
        embeddings.append(normalize(seen.sum(0), dim=0) if i % 2 else seen[0])
        light += [light_features(picture, e.cpu()) for picture, e in zip(views, seen, strict=True)]
        say("looking", i + 1, len(data))
    return Looked(torch.stack(embeddings), torch.stack(light), torch.arange(2 * len(data)) % 2)


def light_curve(features: Tensor, lit: Tensor) -> Curve:
    """The rule of `badges.light`, from features (N, F) and whether the picture was lit (N,)."""
    return fit_curve(features[:, None], lit.float()[:, None], by_label=False, ridge=LIGHT_RIDGE)


def _light_ece(looked: Looked) -> float:
    """Of the rule of light, on pictures that its fit does not see."""
    checked = torch.arange(len(looked.lit)) // 2 % CHECKED == 0
    rule = light_curve(looked.light[~checked], looked.lit[~checked])
    p = rule(looked.light[checked][:, None])[:, 0]
    return round(expected_calibration_error(p, looked.lit[checked].float()), 4)


def maps_of(data: Materials, index: int) -> DecodedMaps:
    """The maps of a rendered material, whole."""
    x = torch.from_numpy(data.crop(index, 0, 0, data.size_px)).permute(2, 0, 1)[None].float() / 255
    relief = decode_relief(torch.tensor([float(data.reliefs[index])]))
    return DecodedMaps(x[:, :3], x[:, 3:4], x[:, 4:5], x[:, 5:6], x[:, 6:7], relief)
