"""How numbers are said to people."""

from __future__ import annotations


def size(number: float) -> str:
    """Bytes in decimal units, as disks and downloads have: 1.3 GB, 605 MB, 2 kB; never 1000 MB."""
    if (kilobytes := round(number / 1e3)) < 1000:
        return f"{kilobytes} kB"
    if (megabytes := round(number / 1e6)) < 1000:
        return f"{megabytes} MB"
    return f"{number / 1e9:.1f} GB"
