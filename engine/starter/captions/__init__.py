"""Captions of procedural materials, rendered afresh from their parameters, and what training never sees.

Training and evaluation must agree on what is here: the labels (FAMILIES, COLOURS), the combinations of the
two that training never sees (`is_held_out`), and the words that the guide never reads (`withheld_nouns`).
"""

from engine.starter.captions.grammar import canonical, caption, meanings
from engine.starter.captions.negatives import factors, negative, one_factor
from engine.starter.captions.splits import held_out, is_held_out, withheld_conditions, withheld_nouns
from engine.starter.materials import COLOURS, FAMILIES

__all__ = [
    "COLOURS",
    "FAMILIES",
    "canonical",
    "caption",
    "factors",
    "held_out",
    "is_held_out",
    "meanings",
    "negative",
    "one_factor",
    "withheld_conditions",
    "withheld_nouns",
]
