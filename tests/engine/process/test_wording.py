"""Numbers as people read them."""

from __future__ import annotations

import pytest

from engine.wording import size


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "0 kB"),
        (499, "0 kB"),
        (1_500, "2 kB"),
        (999_400, "999 kB"),
        (999_600, "1 MB"),  # and not 1000 kB
        (605_400_000, "605 MB"),
        (949_000_000, "949 MB"),
        (999_600_000, "1.0 GB"),
        (1_340_000_000, "1.3 GB"),
        (2_500_000_000_000, "2500.0 GB"),
    ],
)
def test_bytes_are_said_in_the_unit_that_leaves_few_digits(number, said):
    assert size(number) == said
