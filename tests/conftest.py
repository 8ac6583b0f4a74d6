"""One Hypothesis profile for all tests: no deadline, the same examples on every run."""

from __future__ import annotations

import contextlib

with contextlib.suppress(ImportError):  # the bpy environments have no hypothesis
    import hypothesis

    hypothesis.settings.register_profile("patina", deadline=None, derandomize=True, max_examples=30)
    hypothesis.settings.load_profile("patina")
