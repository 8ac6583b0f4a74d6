"""Freed memory stays with the engine during a job, and goes back to the system after it."""

from __future__ import annotations

import ctypes
import json
import subprocess
import sys
import threading

import pytest

from engine import allocator
from engine.jobs import Job, Jobs
from engine.models.packs import ROOT as ENGINE

needs_glibc = pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "mallopt"), reason="only glibc can be told"
)

CHILD = """
import json, resource, sys, threading
from pathlib import Path
from engine import allocator

BLOCK, TIMES = 64 << 20, 5

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(TIMES):
        b"x" * BLOCK
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def measure():
    found.update(first=faults(), again=faults(), held=resident())
    allocator.give_back()
    found.update(left=resident(), pages=BLOCK // resource.getpagesize())

found = {}
if sys.argv[1] == "keep":
    allocator.keep()
worker = threading.Thread(target=measure)  # as the engine's jobs run in one
worker.start()
worker.join()
print(json.dumps(found))
"""


def measured(how):
    command = [sys.executable, "-c", CHILD, how]
    return json.loads(subprocess.run(command, cwd=ENGINE.parent, stdout=subprocess.PIPE, check=True).stdout)


@needs_glibc
def test_blocks_are_used_again_and_given_back_when_asked():
    kept, plain = measured("keep"), measured("plain")
    assert kept["again"] < 0.1 * kept["pages"] < plain["again"]
    assert kept["held"] - kept["left"] > 0.9 * 64 * 2**20


def test_the_engine_keeps_memory_from_its_start():
    code = (
        "import runpy, sys; from engine import allocator; "
        "allocator.keep = lambda: print('kept'); sys.argv[1:] = ['--help']; "
        "runpy.run_module('engine', run_name='__main__')"
    )
    command = [sys.executable, "-c", code]
    said = subprocess.run(command, cwd=ENGINE.parent, stdout=subprocess.PIPE, text=True, check=True).stdout
    assert said.startswith("kept\n") and "usage:" in said


def test_after_each_job_memory_goes_back(monkeypatch):
    order, gone = [], threading.Semaphore(0)

    def give_back():
        order.append("given back")
        gone.release()

    monkeypatch.setattr(allocator, "give_back", give_back)
    jobs = Jobs(lambda *_: None, dict, lambda _: None)
    for name in ("a", "b"):
        jobs.submit(Job(name, lambda job: order.append(job.id) or {}, lambda _: None))
        assert gone.acquire(timeout=10)
    assert order == ["a", "given back", "b", "given back"]
