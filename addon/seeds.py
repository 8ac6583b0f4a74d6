"""Which seed the next run gets.

The one that is shown, while it is locked or no run has used it yet: whoever types or shuffles a seed gets it
once. All other runs draw one, and show it, so that locking keeps the seed of what is to be seen.
"""

import random
from typing import Any

from .properties import MAX_SEED


def draw() -> int:
    """Any seed that Blender can hold."""
    return random.randint(0, MAX_SEED)


def for_next_run(inputs: Any) -> int:
    """See above."""
    chosen = inputs.is_property_set("seed") and inputs.seed != inputs.spent_seed
    return inputs.seed if inputs.lock_seed or chosen else draw()


def spend(inputs: Any, seed: int) -> bool:
    """A run has begun with this seed: show it. Whether that changes the scene."""
    if inputs.seed == inputs.spent_seed == seed:
        return False
    inputs.seed = inputs.spent_seed = seed
    return True
