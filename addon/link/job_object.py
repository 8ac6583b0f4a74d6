"""Windows only: processes that end when Blender does, in whatever way it does."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from ctypes import wintypes

assert sys.platform == "win32"

_EXTENDED_LIMITS = 9
_KILL_ON_CLOSE = 0x2000
_kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
_kernel32.CreateJobObjectW.restype = wintypes.HANDLE


class _BasicLimits(ctypes.Structure):
    _fields_ = (
        ("PerProcessUserTimeLimit", ctypes.c_int64),
        ("PerJobUserTimeLimit", ctypes.c_int64),
        ("LimitFlags", wintypes.DWORD),
        ("MinimumWorkingSetSize", ctypes.c_size_t),
        ("MaximumWorkingSetSize", ctypes.c_size_t),
        ("ActiveProcessLimit", wintypes.DWORD),
        ("Affinity", ctypes.c_size_t),
        ("PriorityClass", wintypes.DWORD),
        ("SchedulingClass", wintypes.DWORD),
    )


class _ExtendedLimits(ctypes.Structure):
    _fields_ = (
        ("Basic", _BasicLimits),
        ("IoInfo", ctypes.c_uint64 * 6),
        ("ProcessMemoryLimit", ctypes.c_size_t),
        ("JobMemoryLimit", ctypes.c_size_t),
        ("PeakProcessMemoryUsed", ctypes.c_size_t),
        ("PeakJobMemoryUsed", ctypes.c_size_t),
    )


class JobObject:
    """Ends the process in it, and that one's children, when its last handle closes: when Blender is gone."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._handle = wintypes.HANDLE(_kernel32.CreateJobObjectW(None, None))
        limits = _ExtendedLimits()
        limits.Basic.LimitFlags = _KILL_ON_CLOSE
        _kernel32.SetInformationJobObject(
            self._handle, _EXTENDED_LIMITS, ctypes.byref(limits), ctypes.sizeof(limits)
        )
        # Where the system refuses (an old Windows, and a Blender that is in such a job itself), only this
        # safety is lost: the engine still ends when its stdin does.
        handle = wintypes.HANDLE(int(vars(process)["_handle"]))  # nothing public gives it
        _kernel32.AssignProcessToJobObject(self._handle, handle)

    def __del__(self) -> None:
        _kernel32.CloseHandle(self._handle)


def tie(process: subprocess.Popen[bytes]) -> JobObject:
    """Let a process end with Blender, for as long as the result is kept."""
    return JobObject(process)
