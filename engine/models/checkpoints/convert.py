"""Published weights → `model.safetensors` and `config.json`, trimmed to what decoding and encoding need."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from engine.errors import BadWeights, CannotWrite
from engine.models.checkpoints import configuration, layouts, reading
from engine.models.checkpoints.reading import State
from engine.models.vqgan import VQGAN, VQGANConfig

LIVE = "live_codes"
"""Beside the weights: (n,) int32, the published number of each code that was kept."""


@dataclass(frozen=True)
class Converted:
    """What became of a published file: its layout, and codes kept of how many."""

    layout: str
    cfg: VQGANConfig
    codes: int
    of: int


def convert(weights: Path, config: Path | None, folder: Path) -> Converted:
    """Write a generator into an existing folder.

    Args:
        weights: a published checkpoint of any layout that `layouts` knows.
        config: the `.yaml` or `.json` that came with it. Shapes tell nearly everything, so it may be
            missing; where it is given, it must agree with them.
        folder: gets `model.safetensors` (float32) and `config.json`, both or none.

    Raises:
        BadWeights: the file is damaged, hostile, no VQGAN, not the configuration's, or not finite.
        CannotWrite: the folder does not take the files.
    """
    size = weights.stat().st_size if weights.is_file() else 0
    layout, state = layouts.to_taming(reading.read(weights), weights.name)
    said = {} if config is None else configuration.declared(config)
    if layout == "llamagen":
        said = {"l2_codes": True, **said}  # of every published one, and no shape shows it
    cfg = configuration.architecture(state, said, weights.name)
    state = _fitting(state, cfg, weights.name, size)
    table = "quantize.embed.weight" if cfg.gumbel else "quantize.embedding.weight"
    live = torch.arange(cfg.n_embed) if cfg.l2_codes else live_codes(state[table])
    if len(live) < 2:
        raise BadWeights(f"{weights.name} has an empty codebook. Download it again.")
    for name in (table, "quantize.proj.weight", "quantize.proj.bias"):
        if name in state:
            state[name] = state[name][live].contiguous()
    trimmed = cfg.model_copy(update={"n_embed": len(live)})
    _write(folder, {**state, LIVE: live.to(torch.int32)}, trimmed)
    return Converted(layout, trimmed, len(live), cfg.n_embed)


def live_codes(table: Tensor) -> Tensor:
    """Numbers of the codes that training ever chose, ascending, int64.

    Rows of the codebook (n, D) begin uniform in ±1/n, so that none is longer than sqrt(D)/n, and one that
    was never chosen stays so. CompVis/taming-transformers issue 67: the norm tells at once.
    """
    n, D = table.shape
    return (table.float().norm(dim=-1) > 2 * math.sqrt(D) / n).nonzero().flatten()


def _fitting(state: State, cfg: VQGANConfig, file: str, size: int) -> State:
    """The tensors of a network of this configuration, checked and as float32.

    Shapes are compared before anything is copied: a tensor of a pickle may claim any size.
    """
    with torch.device("meta"):
        wanted = {name: x.shape for name, x in VQGAN(cfg).state_dict().items()}
    for name, shape in wanted.items():
        if name not in state:
            raise BadWeights(f"{file} lacks {name}. Download it again.", details=f"{len(state)} tensors")
        if state[name].shape != shape or not state[name].is_floating_point():
            raise BadWeights(
                f"{file} has a {name} of {list(state[name].shape)} where {list(shape)} belongs. "
                "Choose the checkpoint of a VQGAN and the configuration that came with it.",
                details=str(state[name].dtype),
            )
    if sum(state[name].numel() * state[name].element_size() for name in wanted) > size:
        raise BadWeights(f"{file} claims more weights than it holds. Do not use it.")
    kept = {name: state[name].to(torch.float32).contiguous() for name in wanted}
    for name, x in kept.items():
        if not bool(x.isfinite().all()):
            raise BadWeights(f"{file} has values in {name} that are no numbers. Download it again.")
    return kept


def _write(folder: Path, state: dict[str, Any], cfg: VQGANConfig) -> None:
    model, config = folder / "model.safetensors", folder / "config.json"
    try:
        save_file(state, model.with_suffix(".new"), metadata={"format": "pt"})
        config.with_suffix(".new").write_text(json.dumps(cfg.model_dump(mode="json"), indent=2), "utf-8")
        config.with_suffix(".new").replace(config)
        model.with_suffix(".new").replace(model)
    except (OSError, SafetensorError) as error:
        raise CannotWrite(
            f"The pack cannot be written to {folder}. Free some space or choose another PATINA_HOME.",
            details=str(error),
        ) from error
    finally:
        for path in (model, config):
            path.with_suffix(".new").unlink(missing_ok=True)
