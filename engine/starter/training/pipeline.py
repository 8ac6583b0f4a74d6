"""All stages in order, from materials to exemplars, and writing the pack."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel
from safetensors.torch import save_file
from torch import Tensor

from engine.compute import Compute
from engine.models.exemplars import Exemplars
from engine.models.guide import Clip
from engine.models.packs import CATALOGUE, ROOT
from engine.models.vqgan import VQGAN, VQGANConfig
from engine.starter import captions, dataset, record
from engine.starter.data import CHANNELS, Materials
from engine.starter.materials import FAMILIES
from engine.starter.training import codes, exemplars, teacher
from engine.starter.training.clip import GUIDE, JUDGE, TEXT, ClipStage
from engine.starter.training.decoder import DecoderStage, DecoderTraining
from engine.starter.training.estimator import EstimatorStage, EstimatorTraining
from engine.starter.training.generator import GeneratorStage, GeneratorTraining
from engine.starter.training.loop import Stage, run, spent
from engine.starter.training.prior import CodeStage, CodeTraining, PriorStage, PriorTraining
from engine.starter.training.sizes import SIZES, Size
from engine.starter.training.stream import StreamStage, StreamTraining

log = logging.getLogger(__name__)

WEIGHTS = Path(__file__).parents[1] / "weights"
PROPOSES = "prior"
"""The stage whose network is the starter's prior: "prior", which is masked, or "stream"."""


Configuration = TypeVar("Configuration", bound=BaseModel)


@dataclass(frozen=True)
class Plan:
    """Where training works and how much it does.

    Attributes:
        work: folder of shards and checkpoints; a run with the same folder goes on where it was.
        weights: folder that the finished networks are written to.
        size: how much is done, and how large networks are.
        start: folder of an older pack's networks to begin from, where stages can.
    """

    work: Path
    weights: Path
    compute: Compute
    size: Size = SIZES["cpu"]
    start: Path | None = None

    @property
    def families(self) -> tuple[str, ...]:
        """What materials are drawn from."""
        return FAMILIES if self.size.families is None else self.size.families

    def configured(self, stage: str, cfg: Configuration) -> Configuration:
        """A stage's configuration with this plan's start and its size's changes.

        Raises:
            ValidationError: the size asks for what the stage cannot be.
        """
        fields = cfg.model_dump()
        if self.start is not None and "start" in fields:
            fields["start"] = str(self.start / stage)
        for name, value in self.size.changes.get(stage, {}).items():
            fields[name] = {**fields[name], **value} if isinstance(value, Mapping) else value
        return type(cfg).model_validate(fields)


def stages(plan: Plan, wanted: tuple[str, ...]) -> Iterator[tuple[str, int, int, dict[str, float]]]:
    """Runs the wanted stages in order; yields (stage, step, of, figures) after every step.

    Each stage that ends writes its network into `plan.weights`.
    """
    if "materials" in wanted:
        yield from _render(plan)
    for name, build, export in (
        ("guide", _clip(GUIDE), _export_clip),
        ("judge", _clip(JUDGE), _export_clip),
        ("generator", _generator, _export_generator),
        ("decoder", _decoder, _export_generator),
        ("estimator", _estimator, _export_estimator),
        ("prior", _prior(PriorStage, PriorTraining()), _export_prior),
        ("stream", _prior(StreamStage, StreamTraining()), _export_prior),
    ):
        if name not in wanted:
            continue
        if name in {"prior", "stream"}:
            yield from _encode(plan)
        data = Materials.open(plan.work / "train")
        stage = build(plan, data)
        for step, figures in run(stage, plan.work / "checkpoints"):
            yield name, step, stage.total_steps, figures
        export(plan, stage)
        seconds = round(spent(stage, plan.work / "checkpoints"))
        _enter(plan, name, data, stage.cfg.model_dump(mode="json"), seconds)
    if "exemplars" in wanted:
        yield from _remember(plan)


def _remember(plan: Plan) -> Iterator[tuple[str, int, int, dict[str, float]]]:
    data = Materials.open(plan.work / "train")
    guide = Clip(f"local-dir:{plan.weights / 'guide'}", plan.compute)
    build, begin = exemplars.build(data, guide, plan.size.exemplars), time.monotonic()
    while True:
        try:
            done, total = next(build)
        except StopIteration as end:
            found: Exemplars = end.value
            break
        yield "exemplars", done, total, {}
    _write(plan.weights / "exemplars", found.state_dict(), found.cfg.model_dump(mode="json"))
    chosen = exemplars.configuration(plan.size.exemplars)
    _enter(plan, "exemplars", data, chosen, round(time.monotonic() - begin))


def _enter(plan: Plan, name: str, data: Materials, configuration: dict[str, Any], seconds: float) -> None:
    about = record.StageRecord(
        configuration=configuration,
        seconds=seconds,
        machine=machine(plan.compute),
        size_px=data.size_px,
        supersampling=data.supersampling,
    )
    record.enter(plan.weights, plan.families, plan.size.materials, name, about)


def machine(compute: Compute) -> str:
    """What networks are trained on, in words."""
    return f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, {compute.describe()}"


def _render(plan: Plan) -> Iterator[tuple[str, int, int, dict[str, float]]]:
    done = 0
    shards = dataset.plan(
        plan.work / "train", plan.size.materials, first_seed=0, size=plan.size.px,
        families=plan.families, supersampling=plan.size.supersampling,
    )  # fmt: skip
    for count in dataset.write(shards, workers=os.cpu_count() or 1):
        done += count
        yield "materials", done, plan.size.materials, {}


def _clip(base: Any) -> Callable[[Plan, Materials], ClipStage]:
    def build(plan: Plan, data: Materials) -> ClipStage:
        meanings = teacher.token_meanings(TEXT["width"], plan.work / "teacher")
        cfg = plan.configured(base.name, base.model_copy(update={"teacher": teacher.version()}))
        wrong = partial(captions.negative, withheld=cfg.withheld)
        return ClipStage(data, cfg, plan.compute, meanings, wrong)

    return build


def _generator(plan: Plan, data: Materials) -> GeneratorStage:
    guide = Clip(f"local-dir:{plan.weights / 'guide'}", plan.compute)
    return GeneratorStage(data, guide, plan.configured("generator", GeneratorTraining()), plan.compute)


def _decoder(plan: Plan, data: Materials) -> DecoderStage:
    guide = Clip(f"local-dir:{plan.weights / 'guide'}", plan.compute)
    cfg = plan.configured("decoder", DecoderTraining())
    return DecoderStage(data, _shipped_generator(plan), guide, cfg, plan.compute)


def _estimator(plan: Plan, data: Materials) -> EstimatorStage:
    return EstimatorStage(data, plan.configured("estimator", EstimatorTraining()), plan.compute)


def _shipped_generator(plan: Plan) -> VQGAN:
    from safetensors.torch import load_file

    folder = plan.weights / "generator"
    generator = VQGAN(VQGANConfig.model_validate_json((folder / "config.json").read_text("utf-8")))
    weights = load_file(folder / "model.safetensors")
    generator.load_state_dict({k: v.float() for k, v in weights.items()})
    return generator.eval().requires_grad_(False).to(plan.compute.device)


def _encode(plan: Plan) -> Iterator[tuple[str, int, int, dict[str, float]]]:
    data, done, generator = Materials.open(plan.work / "train"), 0, _shipped_generator(plan)
    for count in codes.encode(data, generator, codes.folder(plan.work, generator), plan.compute):
        done += count
        yield "codes", done, len(data), {}


def _prior(stage: type[CodeStage], base: CodeTraining) -> Callable[[Plan, Materials], CodeStage]:
    def build(plan: Plan, data: Materials) -> CodeStage:
        guide = Clip(f"local-dir:{plan.weights / 'guide'}", plan.compute)
        cfg = plan.configured(stage.name, base)
        generator = _shipped_generator(plan)
        grids = codes.Grids.open(codes.folder(plan.work, generator))
        return stage(grids, data.params, generator, guide, cfg, plan.compute)

    return build


def _export_clip(plan: Plan, stage: Stage) -> None:
    assert isinstance(stage, ClipStage)
    stage.export(plan.weights / stage.name)


def _export_generator(plan: Plan, stage: Stage) -> None:
    assert isinstance(stage, GeneratorStage | DecoderStage)
    _write(plan.weights / "generator", stage.average.values, stage.model.cfg.model_dump(mode="json"))


def _export_estimator(plan: Plan, stage: Stage) -> None:
    assert isinstance(stage, EstimatorStage)
    _write(plan.weights / "estimator", stage.average.values, stage.model.cfg.model_dump(mode="json"))


def _export_prior(plan: Plan, stage: Stage) -> None:
    assert isinstance(stage, CodeStage)
    _write(plan.weights / stage.name, stage.average.values, stage.model.cfg.model_dump(mode="json"))


def _write(folder: Path, weights: dict[str, Tensor], config: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", "utf-8")
    halves = {k: (v.half() if v.is_floating_point() else v).contiguous() for k, v in weights.items()}
    partial = folder / "partial.safetensors"
    save_file(halves, partial)
    partial.replace(folder / "model.safetensors")


def write_catalogue_entry(weights: Path = WEIGHTS) -> Path:
    """Hashes what is finished into the starter's catalogue entry. What only helps may be missing."""
    files = {
        "generator": weights / "generator" / "model.safetensors",
        "guide": weights / "guide" / "open_clip_model.safetensors",
        "judge": weights / "judge" / "open_clip_model.safetensors",
        "prior": weights / PROPOSES / "model.safetensors",
        "exemplars": weights / "exemplars" / "model.safetensors",
        "estimator": weights / "estimator" / "model.safetensors",
    }
    entry: dict[str, Any] = {
        "id": "starter",
        "label": "Starter",
        "description": "Ships with Patina and works offline. Knows the materials that it was trained on.",
        "licence": "GPL-3.0-or-later",
        "channels": CHANNELS,
    }
    for role, path in files.items():
        if role in {"prior", "exemplars", "estimator"} and not path.exists():
            continue
        data = path.read_bytes()
        entry[role] = {
            "path": path.relative_to(ROOT).as_posix(),
            "sha256": hashlib.sha256(data).hexdigest(),
            "bytes": len(data),
        }
    target = CATALOGUE / "starter.json"
    target.write_text(json.dumps(entry, indent=2) + "\n", "utf-8")
    return target
