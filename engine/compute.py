"""Device and precision, chosen once. Every question about hardware is asked here."""

from __future__ import annotations

import contextlib
import gc
import os
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from engine.errors import DeviceUnavailable, Remedy

MEMINFO = Path("/proc/meminfo")


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


SHARE = 0.7
"""Of the memory that is free, what a run may plan with: other programs grow, too."""


def budget(device: torch.device) -> int | None:
    """Bytes that a run may plan with on a device; None where nobody says how much is free or allowed."""
    free = _free(device)
    planned = None if free is None else int(SHARE * free)
    limit = memory_limit()
    return limit if planned is None else planned if limit is None else min(planned, limit)


def memory_limit(environ: Mapping[str, str] = os.environ) -> int | None:
    """Bytes that a run may plan with at most, by PATINA_MEMORY_GB; None without a limit.

    What is no number above 0 limits nothing: a typing error in a shell should not stop the engine.
    """
    try:
        gigabytes = float(environ.get("PATINA_MEMORY_GB", ""))
    except ValueError:
        return None
    return int(gigabytes * 1e9) if 0 < gigabytes < float("inf") else None


def release(device: torch.device) -> int:
    """Hand memory that nothing uses any more back to the system. Returns the bytes that a GPU got back."""
    gc.collect()  # networks hold themselves in circles
    if device.type == "cuda":
        before = torch.cuda.memory_reserved(device)
        torch.cuda.empty_cache()
        return before - torch.cuda.memory_reserved(device)
    if device.type == "mps":
        before = torch.mps.driver_allocated_memory()
        torch.mps.empty_cache()
        return max(0, before - torch.mps.driver_allocated_memory())
    return 0


def _free(device: torch.device) -> int | None:
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return int(free) + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    if MEMINFO.exists():  # Linux; what it calls free leaves out what it can take back from its caches
        found = re.search(r"^MemAvailable:\s+(\d+) kB$", MEMINFO.read_text("ascii"), re.MULTILINE)
        return int(found[1]) * 1024 if found else None
    return None


def devices() -> list[dict[str, Any]]:
    """What PyTorch can use here: id, label, and memory in bytes (None where it cannot be asked)."""
    found: list[dict[str, Any]] = [{"id": "cpu", "label": platform.processor() or "CPU", "memory": None}]
    if torch.cuda.is_available():
        properties = torch.cuda.get_device_properties(0)
        found.append({"id": "cuda", "label": properties.name, "memory": properties.total_memory})
    if torch.backends.mps.is_available():
        found.append({"id": "mps", "label": "Apple GPU", "memory": None})
    return found
