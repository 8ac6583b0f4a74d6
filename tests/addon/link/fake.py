"""Engines of a few lines each: they behave, die, babble or hang. The link meets them as real processes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from addon.link import Cancelled, Failed, Finished

PARAMS = {"prompt": "moss", "folder": "/tmp/somewhere"}

TALK = """
import json, os, sys, time
def tell(method, **params):
    out({"jsonrpc": "2.0", "method": method, "params": params})
def answer(request, **result):
    out({"jsonrpc": "2.0", "id": request, "result": result})
def refuse(request, message, kind, **data):
    error = {"code": -1, "message": message, "data": {"kind": kind, **data}}
    out({"jsonrpc": "2.0", "id": request, "error": error})
def out(message):
    sys.stdout.write(json.dumps(message) + "\\n")
    sys.stdout.flush()
def requests():
    for line in sys.stdin:
        request = json.loads(line)
        yield request["method"], request["id"], request["params"]
def greet(request):
    answer(request, name="fake", version="9.9", protocol=1, methods=[], packs=[], presets=[])
def ready():
    cpu = {"id": "cpu", "label": "fake", "memory": 1}
    tell("ready", devices=[cpu], device="cpu", torch="0", pack="starter")
"""

BEHAVES = """
for method, id, params in requests():
    if method == "initialize":
        greet(id)
        ready()
    elif method == "generate":
        tell("job/queued", job=id, position=0)
        for step in range(1, 4):
            tell("job/progress", job=id, phase="guide", step=step, total=3, loss=None, steps_per_second=2.0,
                 seconds_left=3.0 - step)
        tell("job/preview", job=id, variation=0, file="/tmp/none.rgba", width=4, height=4)
        answer(id, folder=params["folder"], prompt=params["prompt"], variations=[])
    elif method == "cancel":
        answer(id, cancelled=False)
"""


class Clock:
    """Real time, and what a test adds to it."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead


def run_until(engine, done: Callable[[list], bool], timeout_s: float = 20.0) -> list:
    """Poll as the pump does, until `done` says so of all events."""
    events: list = []
    end = time.monotonic() + timeout_s
    while not done(events):
        assert time.monotonic() < end, (
            f"nothing in {timeout_s} s: {engine.state}, {events}, {engine.log_lines}"
        )
        events += engine.poll()
        time.sleep(0.005)
    return events


def gone(pid: int) -> bool:
    """Whether there is no such process, not even a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def ended(events):
    """Whether a run has."""
    return any(isinstance(event, Finished | Failed | Cancelled) for event in events)


def started(engine, word):
    """Wait for the engine to have said a word on stderr."""
    end = time.monotonic() + 10
    while word not in Path(engine.log).read_text():
        assert time.monotonic() < end
        time.sleep(0.01)
