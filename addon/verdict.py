"""What the engine has against a result, in words. No bpy.

How different the variations are, `diversity`, is no reason to warn: to the judge, materials of one name are
close to each other, good ones too. What really repeats another is named.
"""

from __future__ import annotations

from .session import Result
from .words import mark, tr

FLAWS = {  # what engine/material/artefacts.py may find
    "flat": mark("It is of one colour"),
    "crushed": mark("It is mostly pure black or white"),
    "blurred": mark("It is blurred"),
    "noisy": mark("It is noisy"),
    "checkerboard": mark("It has a checkerboard of pixels"),
    "speckled": mark("It has specks of colour"),
    "uneven": mark("It looks like a picture of something, not like a surface"),
}


def sentences(result: Result) -> list[str]:
    """A sentence for everything that is wrong with a result."""
    found = [tr(FLAWS[flag]) if flag in FLAWS else tr("It is {flaw}", flaw=flag) for flag in result.artefacts]
    if result.repeats is not None:
        found.insert(0, tr("Nearly repeats variation {rank}", rank=result.repeats))
    return found
