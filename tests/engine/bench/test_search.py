"""The table of searches: a row for each size, with what was measured beside the limit."""

from __future__ import annotations

from engine.bench.search import table
from engine.library.bench import bench


def test_every_size_has_a_row_with_its_times_and_its_limit():
    made = table([{**row, "limit_s": 0.05} for row in bench((500, 2000), width=8, repeats=1)])
    cells = [list(column.cells) for column in made.columns]
    assert cells[0] == ["500", "2,000"]
    assert cells[1] == ["16 kB", "64 kB"]
    assert all(float(ms) >= 0 for column in cells[2:4] for ms in column)
    assert cells[4] == ["50", "50"]


def test_a_size_without_a_limit_says_so():
    made = table(bench((500,), width=8, repeats=1))
    assert list(made.columns[4].cells) == ["-"]
