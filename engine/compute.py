"""Device and precision, chosen once. Every question about hardware is asked here."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psutil
import torch

from engine import allocator
from engine.errors import DeviceUnavailable, Remedy

log = logging.getLogger(__name__)


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

    On a machine with CUDA it also settles that one seed means one result: see `_repeat`.

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
    if "cuda" in available:
        _repeat()
    fast_bf16 = {
        "cuda": lambda: torch.cuda.is_bf16_supported(including_emulation=False),
        "mps": lambda: False,  # autocast there is float16 only, whose range the loss leaves
        "cpu": _cpu_has_fast_bf16,
    }[device]()
    return Compute(torch.device(device), torch.bfloat16 if fast_bf16 else torch.float32)


def _repeat() -> None:
    """Let a GPU of NVIDIA's or AMD's do the same sum in the same order every time, as far as PyTorch can.

    For the whole process, whichever device a run is on: what other jobs chose before must not show in its
    last bits. Where there is no such GPU nothing is touched, and a CPU needs nothing.

    What is left are operations that PyTorch has in one order-less form only, and would otherwise refuse:
    above all the backward pass of `grid_sample`, which adds to pixels by atomics, and those of area pooling
    and of padding by reflection or repetition. So two runs on CUDA agree closely, not bit for bit.

    Source: "Reproducibility" in PyTorch's notes, `torch.use_deterministic_algorithms`.
    """
    # Read when cuBLAS starts, at the first product.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.backends.cudnn.benchmark = False  # which would choose by the clock
    torch.backends.cudnn.deterministic = True
    torch.use_deterministic_algorithms(True, warn_only=True)
    # On unless switched off, and only a cost: nothing here reads what it did not write.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


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
    allocator.give_back()
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
    """Bytes that are free on a device, and what PyTorch holds of them unused; None where that is hidden."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return int(free) + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    try:
        available: int = psutil.virtual_memory().available  # with what a system can take back from its caches
    except OSError as error:  # a sandbox may hide /proc
        log.warning("the system does not say how much memory is free: %s", error)
        return None
    if device.type == "mps":  # part of the same memory, and not all of it may be the GPU's
        used, cached = torch.mps.current_allocated_memory(), torch.mps.driver_allocated_memory()
        return max(0, min(torch.mps.recommended_max_memory() - used, available + cached - used))
    return available


NO_MEMORY = (
    "out of memory",  # CUDA, ROCm, MPS
    "can't allocate memory",  # the CPU's allocator on Linux and macOS
    "not enough memory",  # the same on Windows, and MKL
    "bad_alloc",  # C++
    "alloc_failed",  # cuBLAS and cuDNN
)
"""What PyTorch and what it is built on say in errors that have no type of their own."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, on any device: CUDA alone has an error for it, the others say so in words."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in NO_MEMORY)


def devices() -> list[dict[str, Any]]:
    """What PyTorch can use here: id, label, and memory in bytes (None where it cannot be asked)."""
    found: list[dict[str, Any]] = [{"id": "cpu", "label": platform.processor() or "CPU", "memory": None}]
    if torch.cuda.is_available():
        properties = torch.cuda.get_device_properties(0)
        found.append({"id": "cuda", "label": properties.name, "memory": properties.total_memory})
    if torch.backends.mps.is_available():
        found.append({"id": "mps", "label": "Apple GPU", "memory": None})
    return found
