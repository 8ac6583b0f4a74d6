"""One Hypothesis profile for all tests: no deadline, the same examples on every run; slow modules first."""

from __future__ import annotations

import contextlib

with contextlib.suppress(ImportError):  # the bpy environments have no hypothesis
    import hypothesis

    hypothesis.settings.register_profile("patina", deadline=None, derandomize=True, max_examples=30)
    hypothesis.settings.load_profile("patina")


def pytest_collection_modifyitems(items):
    """Where several workers share the tests, none should get a long one last while the others have ended."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)  # stable: modules stay together
