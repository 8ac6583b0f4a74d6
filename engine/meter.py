"""How much memory a piece of work takes at its peak, beyond what is there before."""

from __future__ import annotations

import contextlib
import gc
import re
import sys
from pathlib import Path

import torch

from engine import allocator

STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


class Meter:
    """Peak memory from its making on, with pauses.

    On CUDA it is what PyTorch's allocator hands out; on the CPU the resident memory of this process. Linux
    can forget a peak, so that neither loading before nor a pause counts. Elsewhere an earlier peak hides
    lower ones, and the result is the least that it can be. On Apple's GPU and on Windows nothing is known.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        gc.collect()
        allocator.give_back()  # or the work would find what loading left, and seem to need less
        self._before, self._most = self._now(), 0
        self.resume()

    def pause(self) -> None:
        """Takes note of the peak so far."""
        peak = self._peak()
        if peak is not None and self._before is not None:
            self._most = max(self._most, peak - self._before)

    def resume(self) -> None:
        """Forgets what happened during the pause."""
        allocator.give_back()
        if self._device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self._device)
        elif RESET.exists():
            with contextlib.suppress(OSError):  # a sandbox may forbid it
                RESET.write_text("5", "ascii")

    def bytes(self) -> int | None:
        """The peak until the last pause, beyond the start; None where it cannot be told."""
        return None if self._before is None else self._most

    def _now(self) -> int | None:
        if self._device.type == "cuda":
            return torch.cuda.memory_allocated(self._device)
        return _of_process("VmRSS") if STATUS.exists() else self._peak()

    def _peak(self) -> int | None:
        if self._device.type == "cuda":
            return torch.cuda.max_memory_allocated(self._device)
        if self._device.type != "cpu" or sys.platform == "win32":
            return None
        if STATUS.exists():
            return _of_process("VmHWM")
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return used if sys.platform == "darwin" else used * 1024


def _of_process(name: str) -> int:
    """A line of Linux's account of this process, bytes. getrusage would begin with the parent's peak."""
    found = re.search(rf"^{name}:\s+(\d+) kB$", STATUS.read_text("ascii", "replace"), re.MULTILINE)
    assert found, name
    return int(found[1]) * 1024
