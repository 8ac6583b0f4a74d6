"""The part of MessagePack that flax writes weights in, read in place and within limits.

Source: the MessagePack specification (msgpack.org), and `flax.serialization`, whose extension 1 is an
array: (shape, name of the dtype, bytes), packed again.
"""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.errors import BadWeights

ARRAY = 1
MAX_DEPTH = 32
MAX_AXES = 8
DTYPES = {"float32": "<f4", "float16": "<f2", "float64": "<f8", "bfloat16": "<u2"}

# First byte → (how the length or number behind it is packed, what it is).
SIZED = {
    0xC4: (">B", "bytes"), 0xC5: (">H", "bytes"), 0xC6: (">I", "bytes"),
    0xC7: (">B", "ext"), 0xC8: (">H", "ext"), 0xC9: (">I", "ext"),
    0xD9: (">B", "text"), 0xDA: (">H", "text"), 0xDB: (">I", "text"),
    0xDC: (">H", "list"), 0xDD: (">I", "list"),
    0xDE: (">H", "map"), 0xDF: (">I", "map"),
}  # fmt: skip
NUMBERS = {
    0xCA: ">f", 0xCB: ">d", 0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q",
    0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q",
}  # fmt: skip
FIXED_EXT = {0xD4: 1, 0xD5: 2, 0xD6: 4, 0xD7: 8, 0xD8: 16}
CONSTANTS = {0xC0: None, 0xC2: False, 0xC3: True}


def read(path: Path) -> dict[str, Any]:
    """The tree of a flax file: maps by name with tensors at the leaves.

    Nothing is ever made larger than the file, however large it says that it is.

    Raises:
        BadWeights: cut short, or not what flax writes.
    """
    try:
        reader = _Reader(np.memmap(path, np.uint8, "r"))
        tree = reader.value()
    except (ValueError, struct.error, OSError) as error:
        raise BadWeights(
            f"{path.name} is cut short or no flax file. Download it again.", details=str(error)
        ) from error
    if not isinstance(tree, dict) or reader.left:
        raise BadWeights(f"{path.name} is no flax file. Choose the file with the weights.")
    return tree


class _Reader:
    def __init__(self, data: np.ndarray[Any, Any]) -> None:
        self._data, self._at, self._depth = data, 0, 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def value(self) -> Any:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ValueError("nested too deep")
        try:
            return self._value()
        finally:
            self._depth -= 1

    def _value(self) -> Any:
        first = self._number(">B")
        if first < 0x80:
            return first
        if first < 0x90:
            return self._map(first & 0x0F)
        if first < 0xA0:
            return self._list(first & 0x0F)
        if first < 0xC0:
            return self._text(first & 0x1F)
        if first >= 0xE0:
            return first - 0x100
        if first in CONSTANTS:
            return CONSTANTS[first]
        if first in NUMBERS:
            return self._number(NUMBERS[first])
        if first in FIXED_EXT:
            return self._ext(FIXED_EXT[first])
        if first not in SIZED:
            raise ValueError(f"byte {first:#x} begins nothing")
        layout, kind = SIZED[first]
        size = int(self._number(layout))
        return {
            "bytes": self._take,
            "ext": self._ext,
            "text": self._text,
            "list": self._list,
            "map": self._map,
        }[kind](size)

    def _take(self, size: int) -> np.ndarray[Any, Any]:
        if size > self.left:
            raise ValueError(f"{size} bytes announced, {self.left} left")
        self._at += size
        return self._data[self._at - size : self._at]

    def _number(self, layout: str) -> Any:
        return struct.unpack(layout, self._take(struct.calcsize(layout)).tobytes())[0]

    def _text(self, size: int) -> str:
        return self._take(size).tobytes().decode("utf-8")

    def _list(self, size: int) -> list[Any]:
        if size > self.left:
            raise ValueError(f"a list of {size} in {self.left} bytes")
        return [self.value() for _ in range(size)]

    def _map(self, size: int) -> dict[str, Any]:
        if size > self.left:
            raise ValueError(f"a map of {size} in {self.left} bytes")
        found = {}
        for _ in range(size):
            name = self.value()
            if not isinstance(name, str):
                raise ValueError("a name that is no text")  # noqa: TRY004  # of the file, not of our caller
            found[name] = self.value()
        return found

    def _ext(self, size: int) -> Tensor:
        kind = self._number(">b")
        inner = _Reader(self._take(size))
        if kind != ARRAY:
            raise ValueError(f"extension {kind} is no array")
        inner._depth = self._depth  # of our own class
        return _array(inner.value())


def _array(parts: Any) -> Tensor:
    if not isinstance(parts, list) or len(parts) != 3:
        raise ValueError("an array has a shape, a dtype and bytes")
    shape, dtype, data = parts
    if isinstance(dtype, np.ndarray):
        dtype = dtype.tobytes().decode("utf-8")
    if not isinstance(shape, list) or len(shape) > MAX_AXES or not isinstance(data, np.ndarray):
        raise ValueError("an array has a shape, a dtype and bytes")
    if dtype not in DTYPES or not all(isinstance(n, int) and n >= 0 for n in shape):
        raise ValueError(f"an array of {dtype!r}, {shape}")
    if math.prod(shape) * np.dtype(DTYPES[dtype]).itemsize != len(data):
        raise ValueError(f"{shape} of {dtype} are not {len(data)} bytes")
    numbers = np.frombuffer(data.tobytes(), DTYPES[dtype]).reshape(shape).copy()
    tensor = torch.from_numpy(numbers.view(np.int16) if dtype == "bfloat16" else numbers)
    return tensor.view(torch.bfloat16) if dtype == "bfloat16" else tensor
