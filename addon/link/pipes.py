"""Pipes that never make Blender's main thread wait, neither for something to read nor for room to write."""

from __future__ import annotations

import os
import sys

READ_BYTES = 1 << 16
BUDGET_BYTES = 4 << 20  # a tick takes no more, or an engine that floods the pipe would hold Blender up

if sys.platform == "win32":
    import ctypes
    import errno
    import msvcrt
    from ctypes import wintypes

    _PIPE_NOWAIT = 1
    _kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)

    def set_nonblocking(descriptor: int, *, writing: bool) -> None:
        """Prepare our end of an anonymous pipe. Reading asks first and needs no mode; writing does."""
        if not writing:
            return
        handle = wintypes.HANDLE(msvcrt.get_osfhandle(descriptor))
        mode = wintypes.DWORD(_PIPE_NOWAIT)
        if not _kernel32.SetNamedPipeHandleState(handle, ctypes.byref(mode), None, None):
            raise ctypes.WinError(ctypes.get_last_error())

    def _read(descriptor: int) -> bytes | None:
        # An empty PIPE_NOWAIT pipe and a broken one give the same errno; peeking tells them apart. It cannot
        # block, either, as no one else reads this pipe.
        handle = wintypes.HANDLE(msvcrt.get_osfhandle(descriptor))
        waiting = wintypes.DWORD()
        if not _kernel32.PeekNamedPipe(handle, None, 0, None, ctypes.byref(waiting), None):
            return b""
        return os.read(descriptor, min(READ_BYTES, waiting.value)) if waiting.value else None

    def _write(descriptor: int, data: memoryview) -> int:
        try:
            return os.write(descriptor, data)
        except OSError as error:
            if error.errno == errno.ENOSPC:  # what the C library makes of "wrote nothing, and no error"
                return 0
            raise

else:
    import fcntl

    def set_nonblocking(descriptor: int, *, writing: bool) -> None:  # noqa: ARG001
        """Prepare our end of a pipe. The flag belongs to this end alone: the engine's end keeps blocking."""
        flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
        fcntl.fcntl(descriptor, fcntl.F_SETFL, flags | os.O_NONBLOCK)

    def _read(descriptor: int) -> bytes | None:
        try:
            return os.read(descriptor, READ_BYTES)
        except BlockingIOError:
            return None

    def _write(descriptor: int, data: memoryview) -> int:
        try:
            return os.write(descriptor, data)
        except BlockingIOError:
            return 0


class Inlet:
    """Reads what has arrived, and no more than that."""

    def __init__(self, descriptor: int) -> None:
        set_nonblocking(descriptor, writing=False)
        self._descriptor = descriptor
        self.ended = False

    def read(self) -> bytes:
        """All that has come, up to a budget a call; b"" when nothing has. `ended` turns true at the end."""
        chunks = bytearray()
        while not self.ended and len(chunks) < BUDGET_BYTES:
            try:
                chunk = _read(self._descriptor)
            except OSError:
                chunk = b""
            if chunk is None:
                break
            self.ended = not chunk
            chunks += chunk
        return bytes(chunks)


class Outlet:
    """Takes every line at once and writes it as the other side makes room."""

    def __init__(self, descriptor: int) -> None:
        set_nonblocking(descriptor, writing=True)
        self._descriptor = descriptor
        self._pending = bytearray()
        self.broken = False

    def write(self, line: bytes) -> None:
        """Queue a line and write what goes."""
        self._pending += line
        self.flush()

    def flush(self) -> None:
        """Write what goes. Turns `broken` true when no one reads any more."""
        while self._pending and not self.broken:
            try:
                written = _write(self._descriptor, memoryview(bytes(self._pending[:READ_BYTES])))
            except OSError:
                self.broken = True
                return
            if not written:
                return
            del self._pending[:written]
