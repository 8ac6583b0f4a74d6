"""Tensors out of files that others wrote: PyTorch pickles, safetensors, flax. Nothing in them ever runs."""

from __future__ import annotations

import pickle
import stat
import struct
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from engine.errors import BadWeights
from engine.models.checkpoints import msgpack

State = dict[str, Tensor]

MAX_BYTES = 20 << 30
SELECTED = ("ema", "model", "state_dict")
"""Where trainers keep weights in a checkpoint; averaged ones first, as LlamaGen reads its own."""

TRAINERS = (
    "pytorch_lightning",
    "lightning",
    "lightning_fabric",
    "taming",
    "ldm",
    "main",
    "omegaconf",
    "argparse",
)
"""Packages whose classes trainers leave in checkpoints beside the weights, as labels of their settings."""

UNREADABLE = (
    pickle.UnpicklingError, RuntimeError, ValueError, TypeError, KeyError, IndexError, AttributeError,
    AssertionError, EOFError, OSError, OverflowError, MemoryError, struct.error, zipfile.BadZipFile,
)  # fmt: skip


class Label:
    """Stands for a trainer's class, so that the weights beside it can be read. It does nothing."""


def read(path: Path) -> State:
    """The weights in a file by name, as they are: views into the file where its format allows.

    Args:
        path: PyTorch's `.ckpt`, `.pt`, `.pth`, `.bin`, also Lightning's; `.safetensors`; flax's `.msgpack`.

    Raises:
        BadWeights: no such file, cut short, unknown, more than `MAX_BYTES`, or with code in it.
    """
    first = _first_bytes(path)
    if first.lstrip()[:1] == b"<":
        raise BadWeights(
            f"{path.name} is a web page, not weights: its download went wrong. Download it again."
        )
    if first.startswith(b"version https://git-lfs"):
        raise BadWeights(f"{path.name} only points to weights kept by Git LFS. Download the file itself.")
    if first.startswith(b"PK"):
        _check_archive(path)
        return _weights_of(path, _unpickle(path, labels=_labels(path)))
    if first.startswith(b"\x80\x02"):
        return _weights_of(path, _unpickle(path, labels=()))
    if first[8:9] == b"{":
        try:
            return dict(load_file(path))
        except (SafetensorError, OSError, ValueError) as error:
            raise BadWeights(
                f"{path.name} is cut short or damaged. Download it again.", details=str(error)
            ) from error
    if 0x81 <= first[0] <= 0x8F or first[0] in {0xDE, 0xDF}:
        return dict(_flat(msgpack.read(path)))
    raise BadWeights(
        f"{path.name} is no weights file that Patina knows. Choose a .ckpt, .pt or .safetensors."
    )


def _first_bytes(path: Path) -> bytes:
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise BadWeights(f"{path.name} is no file. Choose the file with the weights.")
        if about.st_size > MAX_BYTES:
            raise BadWeights(f"{path.name} is larger than any generator. Choose the file with the weights.")
        with path.open("rb") as stream:
            first = stream.read(64)
    except OSError as error:
        raise BadWeights(f"{path.name} cannot be read. Check the path.", details=str(error)) from error
    if len(first) < 64:
        raise BadWeights(f"{path.name} is empty or cut short. Download it again.")
    return first


def _check_archive(path: Path) -> None:
    """PyTorch stores tensors as they are, so an archive that unpacks to more than its size is none of it."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise BadWeights(
            f"{path.name} is cut short or damaged. Download it again.", details=str(error)
        ) from error
    if sum(member.file_size for member in members) > path.stat().st_size:
        raise BadWeights(f"{path.name} unpacks to more than it holds. Do not use it.")
    if any(".." in member.filename.split("/") or member.filename.startswith("/") for member in members):
        raise BadWeights(f"{path.name} holds names that lead out of it. Do not use it.")


def _labels(path: Path) -> tuple[str, ...]:
    try:
        named = torch.serialization.get_unsafe_globals_in_checkpoint(str(path))
    except UNREADABLE as error:
        raise BadWeights(
            f"{path.name} holds no weights that PyTorch can read. Choose another file.", details=str(error)
        ) from error
    return tuple(name for name in named if name.split(".")[0] in TRAINERS)


def _unpickle(path: Path, labels: tuple[str, ...]) -> Any:
    """What is in a pickle of tensors, numbers and names. Labels are read as the empty class above."""
    stand_ins: list[Any] = [(Label, name) for name in labels]
    try:
        with torch.serialization.safe_globals(stand_ins), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of pickle protocols: what fails says so itself
            # Mapped into memory, the two thirds of a checkpoint that are the optimiser's are never read.
            mapped = zipfile.is_zipfile(path)
            return torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except pickle.UnpicklingError as error:
        raise BadWeights(
            f"{path.name} holds more than weights, which could be code, so it was not read. "
            "Choose a file from a source that you know, best a .safetensors.",
            details=str(error),
        ) from error
    except UNREADABLE as error:
        raise BadWeights(
            f"{path.name} is cut short or damaged. Download it again.", details=str(error)
        ) from error


def _weights_of(path: Path, data: Any) -> State:
    for name in SELECTED:
        if isinstance(data, Mapping) and isinstance(data.get(name), Mapping):
            data = data[name]
            break
    if not isinstance(data, Mapping):
        raise BadWeights(f"{path.name} holds no weights by name. Choose the file with the weights.")
    state = {k: v for k, v in data.items() if isinstance(k, str) and isinstance(v, Tensor)}
    if not state:
        raise BadWeights(f"{path.name} holds no weights by name. Choose the file with the weights.")
    return state


def _flat(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Tensor]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{name}.")
        elif isinstance(value, Tensor):
            yield f"{above}{name}", value
