"""What an index holds, and what an update did."""

from __future__ import annotations


def mains(store):
    return sorted(str(path.name) for path in store.mains().values())


def figures(report):
    return {k: v for k, v in vars(report).items() if isinstance(v, int) and v}
