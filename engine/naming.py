"""How results are called."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 48


def slug(prompt: str) -> str:
    """A file name from a prompt: its words in small ASCII letters and digits, joined by "_".

    At most 48 characters; "material" where the prompt has none of them. "Café tiles!" is "cafe_tiles".
    """
    plain = unicodedata.normalize("NFKD", prompt).encode("ascii", "ignore").decode("ascii").lower()
    return "_".join(re.findall("[a-z0-9]+", plain))[:LONGEST].strip("_") or "material"
