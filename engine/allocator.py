"""What becomes of memory that tensors have left, under glibc: kept for the next ones, or handed back."""

from __future__ import annotations

import ctypes
import sys

TRIM_THRESHOLD, MMAP_MAX, ARENA_MAX = -1, -4, -8
"""Parameters of mallopt(3)."""


def keep() -> None:
    """Lets this process keep what it frees, until `give_back`; to be called before there is a second thread.

    Where there is no glibc nothing changes.

    By itself glibc asks the system for every large block and returns it as soon as it is free. So each
    tensor of a guided step would begin with pages that the system has to find and to clear first, which
    takes about a tenth of the step. One arena serves all threads: those that other threads begin cannot keep
    large blocks.
    """
    if (set_option := _function("mallopt")) is not None:
        for option, value in ((MMAP_MAX, 0), (TRIM_THRESHOLD, -1), (ARENA_MAX, 1)):
            set_option(option, value)


def give_back() -> None:
    """Hands what is free back to the system, which takes some hundredths of a second."""
    if (trim := _function("malloc_trim")) is not None:
        trim(0)


def _function(name: str) -> ctypes._NamedFuncPointer | None:
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
