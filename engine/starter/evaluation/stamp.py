"""When something was measured, and by which code: figures stay when code changes, but say so."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache

from pydantic import BaseModel, ConfigDict

from engine.models.packs import ROOT

DECIDES = (
    *("material", "models", "synthesis"),
    *("starter/border.py", "starter/captions", "starter/drawing.py", "starter/materials"),
)
"""What in the engine decides what a run gives, beside settings and weights."""


class Stamp(BaseModel):
    """A day, as 2026-11-27, and a revision as `code` gives it; None where it was not recorded."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    date: str | None = None
    code: str | None = None

    @property
    def said(self) -> str:
        """For people, beside the code as it is."""
        if self.code == code():
            return str(self.date)
        other = "code not recorded" if self.code is None else f"other code (`{self.code}`)"
        return f"{self.date or 'date not recorded'}, {other}"


@lru_cache(maxsize=1)
def code() -> str:
    """The revision of the engine's code: a hash, as there is no history in a zip. Line ends do not count."""
    digest = hashlib.sha256()
    for place in DECIDES:
        path = ROOT / place
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            text = file.read_text("utf-8")
            digest.update(f"{file.relative_to(ROOT).as_posix()}\0{len(text)}\0{text}".encode())
    return digest.hexdigest()[:12]


def now() -> Stamp:
    """Of what is measured today."""
    return Stamp(date=datetime.now(UTC).date().isoformat(), code=code())


def together(stamps: Sequence[Stamp]) -> Stamp:
    """Of what several made: the oldest day; the code only where it was the same for all."""
    dates, codes = {s.date for s in stamps}, {s.code for s in stamps}
    known = sorted(date for date in dates if date is not None)
    return Stamp(
        date=known[0] if known and None not in dates else None, code=codes.pop() if len(codes) == 1 else None
    )
