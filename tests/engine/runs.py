"""A job as server and shell start it, in one call."""

from __future__ import annotations

from dataclasses import fields

from engine.generation import run_generate
from engine.host import Host
from engine.params import Delivery


def make(settings, folder, pack, run=run_generate, **how):
    """Run settings with a pack that is there. `how`: of `Delivery`, of `Host`, and what `run` alone takes."""

    def taken(names):
        return {name: how.pop(name) for name in names if name in how}

    delivery = Delivery(folder=str(folder), **taken(set(Delivery.model_fields)))
    host = Host(**{"load": lambda *_: pack, **taken({field.name for field in fields(Host)})})
    return run(settings, delivery, host, **how)
