"""Errors raised on purpose: a sentence for the artist, a code for programs, details for the log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Remedy:
    """The setting to change, and to what, so that the same request goes through."""

    setting: str
    value: object


@dataclass(frozen=True)
class Kept:
    """What a cancelled job left: its folder, and the guided step after which it stopped; None: after all."""

    folder: str
    step: int | None


class PatinaError(Exception):
    """Base of every error that Patina raises on purpose.

    Args:
        message: one sentence a person can act on.
        field: the request field at fault, if there is one.
        remedy: a change of setting that would help, if there is one.
        details: what a developer wants to read in the log.
    """

    code: ClassVar[int] = -32000
    kind: ClassVar[str] = "internal"

    def __init__(
        self,
        message: str,
        *,
        field: str | None = None,
        remedy: Remedy | None = None,
        details: str = "",
    ) -> None:
        super().__init__(message)
        self.message, self.field, self.remedy, self.details = message, field, remedy, details

    def as_dict(self) -> dict[str, object]:
        """The `error` member of a JSON-RPC 2.0 response."""
        data: dict[str, object] = {"kind": self.kind, "details": self.details}
        if self.field is not None:
            data["field"] = self.field
        if self.remedy is not None:
            data["remedy"] = {"setting": self.remedy.setting, "value": self.remedy.value}
        return {"code": self.code, "message": self.message, "data": data}


class InvalidRequest(PatinaError):
    """A line that is no JSON-RPC request, or parameters that the schema refuses."""

    code, kind = -32602, "invalid_request"


class ParseError(PatinaError):
    """A line that is not JSON."""

    code, kind = -32700, "parse_error"


class UnknownMethod(PatinaError):
    """A method that this engine has never heard of."""

    code, kind = -32601, "unknown_method"


class Cancelled(PatinaError):
    """The client cancelled the job. `kept` says where its results are, if it left any."""

    code, kind = -32800, "cancelled"

    def __init__(self, message: str, *, kept: Kept | None = None, details: str = "") -> None:
        super().__init__(message, details=details)
        self.kept = kept

    def as_dict(self) -> dict[str, object]:
        """As of every error; `folder` and `stopped_at` are in `data` where something was kept."""
        body = super().as_dict()
        data = body["data"]
        if self.kept is not None and isinstance(data, dict):
            data |= {"folder": self.kept.folder, "stopped_at": self.kept.step}
        return body


class UnknownPack(PatinaError):
    """A model pack that is not in the catalogue, or whose files are missing or damaged."""

    code, kind = -32002, "unknown_pack"


class UnknownPreset(PatinaError):
    """A preset that does not exist or cannot be read."""

    code, kind = -32003, "unknown_preset"


class BadWeights(PatinaError):
    """A weights file that does not fit its network or its hash."""

    code, kind = -32004, "bad_weights"


class DeviceUnavailable(PatinaError):
    """A device was asked for that this machine does not have."""

    code, kind = -32005, "device_unavailable"


class CannotWrite(PatinaError):
    """A result could not be stored: folder missing, read-only or full."""

    code, kind = -32006, "cannot_write"


class CannotDownload(PatinaError):
    """A file could not be fetched whole and right: no network, no such file, or another one than promised."""

    code, kind = -32007, "cannot_download"


class UnreadablePicture(PatinaError):
    """A picture that is damaged, too large, not ours to read, or of a format that nothing here reads."""

    code, kind = -32020, "unreadable_picture"


class BadIndex(PatinaError):
    """A library's index that cannot be opened, or is busy, or was made by a newer version."""

    code, kind = -32021, "bad_index"


class OutOfMemory(PatinaError):
    """A picture that is too large for the memory of the device."""

    code, kind = -32008, "out_of_memory"
