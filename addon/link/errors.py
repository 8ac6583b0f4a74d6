"""What can go wrong between the add-on and the engine, as one type that a panel can show."""

from __future__ import annotations

from typing import Any

from . import disk


class EngineError(Exception):
    """One sentence that a person can act on and, where there is one, the setting that would help.

    Args:
        message: the sentence.
        kind: a stable name for programs, such as "cancelled" or "invalid_request".
        setting: the setting to change, and `value`: to what. None where there is no such remedy.
        details: what a developer wants to read.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: str = "engine",
        setting: str | None = None,
        value: object = None,
        details: str = "",
    ) -> None:
        super().__init__(message)
        self.message, self.kind, self.details = message, kind, details
        self.setting, self.value = setting, value

    @classmethod
    def from_reply(cls, error: object) -> EngineError:
        """The error that a JSON-RPC reply carries; whatever is in it, the result can be shown."""
        body: dict[str, Any] = error if isinstance(error, dict) else {}
        data: dict[str, Any] = body["data"] if isinstance(body.get("data"), dict) else {}
        remedy: dict[str, Any] = data["remedy"] if isinstance(data.get("remedy"), dict) else {}
        setting = remedy.get("setting")
        return cls(
            disk.shown(str(body.get("message") or "The engine reported an error without saying which.")),
            kind=str(data.get("kind", "engine")),
            setting=setting if isinstance(setting, str) else None,
            value=remedy.get("value"),
            details=disk.shown(str(data.get("details", ""))),
        )
