"""`python -m engine.bench`: one case from stdin, its figures to stdout, both JSON; a process for each."""

import os
import sys

from engine import allocator, stdio
from engine.bench.cases import Case

case = Case.model_validate_json(sys.stdin.buffer.read())
if case.loop == "ours":
    allocator.keep()  # as the engine does
answers = stdio.own_stdout()  # so that nothing but the figures gets there, whatever a library prints

from engine.bench.measure import measure  # noqa: E402  # libraries are loaded now

with os.fdopen(answers, "w", encoding="utf-8") as stdout:
    stdout.write(measure(case).model_dump_json())
