"""CLIP models of others → a folder that open_clip reads without a network: configuration and weights.

Mean, std, size, resize mode and activation come from open_clip's own tables, by name and tag. Never from
here: a model that is shown colours on another's scale guides to other colours, and nothing says so.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import open_clip
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import save_file

from engine.errors import BadWeights, CannotWrite, InvalidRequest
from engine.models import offers
from engine.models.checkpoints import reading

CONFIG, WEIGHTS = "open_clip_config.json", "open_clip_model.safetensors"
WEIGHTS_ON_HUB = (WEIGHTS, "open_clip_pytorch_model.bin")
MAX_CONFIG_BYTES = 1 << 20
NEEDS_TRANSFORMERS = ("hf_model_name", "hf_tokenizer_name")


def split(name: str) -> tuple[str, str]:
    """`NAME:TAG` → (name, tag).

    Raises:
        InvalidRequest: open_clip knows no such pair; the sentence names what is near.
    """
    model, _, tag = name.partition(":")
    tags = open_clip.list_pretrained_tags_by_model(model)
    if not tags:
        raise InvalidRequest(
            f"open_clip knows no model {model!r} with weights. Write NAME:TAG, "
            "as ViT-B-32:laion2b_s34b_b79k, NAME:FILE with a checkpoint, a folder with "
            "open_clip_config.json, or an installed pack.",
            field="guide",
        )
    if tag not in tags:
        raise InvalidRequest(f"{model} comes as {', '.join(tags)}; {tag!r} was given.", field="guide")
    return model, tag


def config_of(model: str, tag: str) -> dict[str, Any]:
    """The contents of `open_clip_config.json` for a name and tag of open_clip's.

    Raises:
        InvalidRequest: the model reads words by a library that Patina does not ship.
    """
    about = open_clip.get_pretrained_cfg(model, tag)
    network = open_clip.get_model_config(model)
    _refuse_transformers(network, model)
    network["quick_gelu"] = bool(about.get("quick_gelu", network.get("quick_gelu", False)))
    names = ("mean", "std", "interpolation", "resize_mode")
    return {"model_cfg": network, "preprocess_cfg": {name: about[name] for name in names if name in about}}


def config_of_file(model: str) -> dict[str, Any]:
    """As `config_of`, for a checkpoint of the user's: with the defaults by which open_clip reads such files.

    Raises:
        InvalidRequest: open_clip knows no such architecture, or see `config_of`.
    """
    network = open_clip.get_model_config(model)
    if network is None:
        near = get_close_matches(model, open_clip.list_models(), 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise InvalidRequest(f"open_clip knows no architecture {model!r}.{hint}", field="guide")
    _refuse_transformers(network, model)
    size = network.get("vision_cfg", {}).get("image_size", 224)
    about = asdict(open_clip.transform.PreprocessCfg(size=size))
    names = ("mean", "std", "interpolation", "resize_mode")
    return {"model_cfg": network, "preprocess_cfg": {name: about[name] for name in names}}


def sources_of(model: str, tag: str) -> tuple[offers.Source, ...]:
    """Where open_clip has the weights: on the hub as safetensors, then as pickle; else behind its URL.

    Raises:
        InvalidRequest: they have no place that Patina reads from.
    """
    about = open_clip.get_pretrained_cfg(model, tag)
    owner, _, repository = about.get("hf_hub", "").strip("/").partition("/")
    repository, _, file = repository.partition("/")
    places: list[dict[str, Any]] = []
    if repository:
        places = [
            {"hub": f"{owner}/{repository}", "name": name} for name in ([file] if file else WEIGHTS_ON_HUB)
        ]
    elif about.get("url"):
        places = [{"url": about["url"], "name": about["url"].rpartition("/")[2]}]
    try:
        remotes = [offers.Remote(**place, about_bytes=0) for place in places]
    except ValidationError as error:
        raise InvalidRequest(
            f"open_clip's {model}:{tag} is not where Patina can fetch it. Choose another tag.",
            details=str(error),
        ) from error
    if not remotes:
        raise InvalidRequest(f"open_clip has no weights of {model}:{tag} to fetch. Choose another tag.")
    return tuple(offers.Source(weights=r, licence="see the model's page", verified=False) for r in remotes)


def write(folder: Path, config: Mapping[str, Any], weights: Path) -> None:
    """Make a folder that `guide.Clip` loads as "local-dir:". The weights are read without running anything.

    Raises:
        BadWeights: they are damaged or hostile, or the configuration is no CLIP's.
    """
    state = reading.read(weights)
    state = {k.removeprefix("module."): v.contiguous().clone() for k, v in state.items()}
    for name, x in state.items():
        if x.is_floating_point() and not bool(x.isfinite().all()):
            raise BadWeights(f"{weights.name} has values in {name} that are no numbers. Download it again.")
    folder.mkdir(parents=True, exist_ok=True)
    try:
        save_file(state, folder / WEIGHTS, metadata={"format": "pt"})
    except SafetensorError as error:
        raise CannotWrite(f"{folder} cannot be written to. Free some space.", details=str(error)) from error
    (folder / CONFIG).write_text(json.dumps(config, indent=2), "utf-8")


def copy(source: Path, folder: Path) -> None:
    """Take over a CLIP that lies in a folder as open_clip's own do: configuration, weights and words.

    Raises:
        BadWeights: one of the two is missing, damaged or hostile.
    """
    config = _read_config(source / CONFIG)
    found = [source / name for name in WEIGHTS_ON_HUB if (source / name).is_file()]
    if not found:
        raise BadWeights(
            f"{source.name} has no {WEIGHTS}. Choose a folder with a model of open_clip's.", field="guide"
        )
    write(folder, config, found[0])
    if (source / "known.json").is_file():
        shutil.copyfile(source / "known.json", folder / "known.json")


def _read_config(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_CONFIG_BYTES:
            raise ValueError("too large")  # noqa: TRY301
        config = json.loads(path.read_text("utf-8"))
        network, preprocess = config["model_cfg"], config["preprocess_cfg"]
        if not isinstance(network, dict) or not isinstance(preprocess, dict):
            raise TypeError("model_cfg and preprocess_cfg are objects")  # noqa: TRY301
        # Timm fetches weights of its own if told to, and they would be thrown away.
        network.get("vision_cfg", {})["timm_model_pretrained"] = False
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadWeights(
            f"{path.parent.name} has no usable {CONFIG}. Choose a folder with a model of open_clip's.",
            field="guide",
            details=repr(error),
        ) from error
    _refuse_transformers(network, path.parent.name)
    return {"model_cfg": network, "preprocess_cfg": preprocess}


def _refuse_transformers(network: Mapping[str, Any], model: str) -> None:
    if any(name in network.get("text_cfg", {}) for name in NEEDS_TRANSFORMERS):
        raise InvalidRequest(
            f"{model} reads words by the library transformers, which Patina does not have. "
            "Choose a CLIP with a tokenizer of its own, as ViT-B-32 or convnext_base_w.",
            field="guide",
        )
