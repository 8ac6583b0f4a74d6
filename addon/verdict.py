"""What the engine has against a result, in words. No bpy."""

from __future__ import annotations

from .session import Result

FLAWS = {  # what engine/material/artefacts.py may find
    "flat": "is of one colour",
    "crushed": "is mostly pure black or white",
    "blurred": "is blurred",
    "noisy": "is noisy",
    "checkerboard": "has a checkerboard of pixels",
    "speckled": "has specks of colour",
    "uneven": "looks like a picture of something, not like a surface",
}
ALIKE = 0.5  # of the variations are effectively different ones: fewer is worth a word


def sentences(result: Result, of_run: list[Result]) -> list[str]:
    """A sentence for everything that is wrong with a result, and with the run that it is of."""
    found = [] if result.repeats is None else [f"Nearly repeats variation {result.repeats}"]
    faults = [FLAWS.get(flag, f"is {flag}") for flag in result.artefacts]
    found += [f"It {' and '.join(faults)}"] if faults else []
    if result.diversity is not None and len(of_run) > 1 and result.diversity < ALIKE * len(of_run):
        found.append(f"The variations are much alike: as good as {result.diversity:.1f} of {len(of_run)}")
    return found
