"""Device and precision, chosen once. Every question about hardware is asked here."""

from __future__ import annotations

import contextlib
import platform
from dataclasses import dataclass
from typing import Any

import torch

from engine.errors import DeviceUnavailable, Remedy


@dataclass(frozen=True)
class Compute:
    """Where networks run, and in which precision their matrix products are taken."""

    device: torch.device
    dtype: torch.dtype

    def autocast(self) -> contextlib.AbstractContextManager[Any]:
        """Products in `dtype`; everything that asks for float32 by `.float()` keeps it."""
        if self.dtype == torch.float32:
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, self.dtype)

    def describe(self) -> str:
        """For sidecars: two runs agree bit for bit only where this agrees."""
        return f"{self.device.type}/{str(self.dtype).removeprefix('torch.')}"


def _cpu_has_fast_bf16() -> bool:
    cpu = torch.cpu  # asked by private names: PyTorch has no public ones yet
    return cpu._is_avx512_bf16_supported() or cpu._is_amx_tile_supported()  # noqa: SLF001


def choose(device: str = "auto") -> Compute:
    """The wanted device, or the best one, with the precision that is fast there.

    Args:
        device: "auto", "cpu", "cuda" (NVIDIA, or AMD under ROCm) or "mps" (Apple).

    Raises:
        DeviceUnavailable: this machine, or this build of PyTorch, does not have it.
    """
    available = [d["id"] for d in devices()]
    if device == "auto":
        device = next(d for d in ("cuda", "mps", "cpu") if d in available)
    if device not in available:
        raise DeviceUnavailable(
            f"PyTorch finds no {device!r} here, only {', '.join(available)}. Set device to 'auto'.",
            field="device",
            remedy=Remedy("device", "auto"),
        )
    fast_bf16 = {
        "cuda": lambda: torch.cuda.is_bf16_supported(including_emulation=False),
        "mps": lambda: False,  # autocast there is float16 only, whose range the loss leaves
        "cpu": _cpu_has_fast_bf16,
    }[device]()
    return Compute(torch.device(device), torch.bfloat16 if fast_bf16 else torch.float32)


def devices() -> list[dict[str, Any]]:
    """What PyTorch can use here: id, label, and memory in bytes (None where it cannot be asked)."""
    found: list[dict[str, Any]] = [{"id": "cpu", "label": platform.processor() or "CPU", "memory": None}]
    if torch.cuda.is_available():
        properties = torch.cuda.get_device_properties(0)
        found.append({"id": "cuda", "label": properties.name, "memory": properties.total_memory})
    if torch.backends.mps.is_available():
        found.append({"id": "mps", "label": "Apple GPU", "memory": None})
    return found
