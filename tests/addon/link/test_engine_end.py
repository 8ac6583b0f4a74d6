"""Ends: death, restart, cancelling, stopping. No process stays behind."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from addon.link import Cancelled, Failed, Finished, Progress, State
from addon.link.engine import CANCEL_ACK_S, CANCEL_END_S, TERMINATE_S
from tests.addon.link.fake import BEHAVES, PARAMS, ended, gone, run_until, started

DEATHS = {
    "print('no module', file=sys.stderr); sys.exit(3)": "code 3",
    "os.kill(os.getpid(), 9)": "was killed",
    "os.kill(os.getpid(), 11)": "crashed",
    "sys.exit(0)": "by itself",
}


@pytest.mark.parametrize(("death", "words"), DEATHS.items())
def test_death_in_mid_job_is_a_failure_in_plain_words(engine_of, death, words):
    engine = engine_of(
        f"""
        for method, id, params in requests():
            if method == "initialize":
                greet(id); ready()
            else:
                print("last words", file=sys.stderr, flush=True)
                {death}
        """
    )
    engine.submit("generate", PARAMS)
    events = run_until(engine, ended)
    assert words in events[-1].error.message
    assert engine.state is State.FAILED
    assert engine.jobs == ()
    assert "last words" in engine.log_lines
    assert Path(engine.log).read_text().startswith("last words")


def test_what_was_written_before_death_is_not_lost(engine_of):
    engine = engine_of(BEHAVES.replace("variations=[])", "variations=[]); sys.exit(1)"))
    engine.submit("generate", PARAMS)
    events = run_until(engine, lambda events: any(isinstance(event, Failed) for event in events))
    assert any(isinstance(event, Finished) for event in events)


def test_death_while_idle_is_noticed(engine_of):
    engine = engine_of(BEHAVES)
    engine.submit("generate", PARAMS)
    run_until(engine, ended)
    os.kill(engine.pid, signal.SIGKILL)
    run_until(engine, ended)
    assert engine.state is State.FAILED


def test_restart_after_death_works(engine_of):
    engine = engine_of(BEHAVES)
    engine.submit("generate", PARAMS)
    first = engine.pid
    os.kill(first, signal.SIGKILL)
    run_until(engine, ended)
    engine.restart()
    run_until(engine, lambda _: engine.state is State.READY)
    assert engine.failure is None
    engine.submit("generate", PARAMS)
    assert isinstance(run_until(engine, ended)[-1], Finished)
    assert gone(first)


def test_restart_in_mid_job_forgets_the_job(engine_of):
    engine = engine_of(BEHAVES.replace('elif method == "generate":', 'elif method == "never":'))
    engine.submit("generate", PARAMS)
    run_until(engine, lambda _: engine.state is State.BUSY)
    first = engine.pid
    engine.restart()
    assert engine.jobs == ()
    run_until(engine, lambda _: engine.state is State.READY and gone(first))


CANCELS = """
for method, id, params in requests():
    if method == "initialize":
        greet(id); ready()
    elif method == "generate":
        job = id
    elif method == "cancel":
        answer(id, cancelled=True)
        refuse(job, "Cancelled.", "cancelled")
"""


def test_cancel_ends_the_run_and_keeps_the_engine(engine_of):
    engine = engine_of(CANCELS)
    job = engine.submit("generate", PARAMS)
    run_until(engine, lambda _: engine.state is State.BUSY)
    pid = engine.pid
    engine.cancel(job)
    engine.cancel(job)
    assert engine.cancelling(job)
    assert run_until(engine, ended) == [Cancelled(job)]
    assert (engine.state, engine.pid) == (State.READY, pid)


@pytest.mark.parametrize(
    ("body", "patience_s"),
    [
        (BEHAVES.replace('"generate"', '"never"').replace('"cancel"', '"never"'), CANCEL_ACK_S),
        (CANCELS.replace('refuse(job, "Cancelled.", "cancelled")', "pass"), CANCEL_END_S),
    ],
    ids=["no acknowledgement", "acknowledged, goes on"],
)
def test_cancel_ends_an_engine_that_does_not_obey(engine_of, clock, body, patience_s):
    engine = engine_of(body)
    job = engine.submit("generate", PARAMS)
    run_until(engine, lambda _: engine.state is State.BUSY)
    pid = engine.pid
    engine.cancel(job)
    time.sleep(0.3)
    engine.poll()
    clock.ahead = patience_s - 1
    assert engine.poll() == []
    clock.ahead = patience_s + 1
    assert engine.poll() == [Cancelled(job)]
    assert engine.state is State.STOPPED
    clock.ahead += 10
    run_until(engine, lambda _: gone(pid))


KEEPS = CANCELS.replace(
    'refuse(job, "Cancelled.", "cancelled")',
    'tell("job/progress", job=job, phase="write", step=1, total=2, loss=None)',
)


def test_a_cancelled_run_may_take_its_time_to_write_what_it_has(engine_of, clock):
    """As long as it says that it writes: a large picture on a slow disk is no engine that does not obey."""
    engine = engine_of(KEEPS)
    job = engine.submit("generate", PARAMS)
    run_until(engine, lambda _: engine.state is State.BUSY)
    engine.cancel(job)
    time.sleep(0.3)
    clock.ahead = CANCEL_END_S - 1
    assert [type(event) for event in engine.poll()] == [Progress]
    clock.ahead = CANCEL_END_S + 5
    assert engine.poll() == []
    clock.ahead = 2 * CANCEL_END_S
    assert engine.poll() == [Cancelled(job)]


def test_what_a_cancelled_run_kept_is_told(engine_of):
    told = 'refuse(job, "Cancelled.", "cancelled", folder="/results", stopped_at=3)'
    engine = engine_of(CANCELS.replace('refuse(job, "Cancelled.", "cancelled")', told))
    job = engine.submit("generate", PARAMS)
    run_until(engine, lambda _: engine.state is State.BUSY)
    engine.cancel(job)
    assert run_until(engine, ended)[-1] == Cancelled(job, "/results", 3)


def test_cancel_before_the_engine_is_ready(engine_of):
    engine = engine_of("time.sleep(0.3)\n" + CANCELS)
    job = engine.submit("generate", PARAMS)
    engine.cancel(job)
    assert run_until(engine, ended) == [Cancelled(job)]


def test_jobs_that_end_with_a_deaf_engine_are_told(engine_of, clock):
    engine = engine_of(BEHAVES.replace('"generate"', '"never"').replace('"cancel"', '"never"'))
    deaf, other = engine.submit("generate", PARAMS), engine.submit("search", {"text": "moss"})
    run_until(engine, lambda _: engine.state is State.BUSY)
    engine.cancel(deaf)
    clock.ahead = CANCEL_ACK_S + 1
    cancelled, failed = engine.poll()
    assert cancelled == Cancelled(deaf)
    assert isinstance(failed, Failed) and failed.job is None, f"nobody hears of {other}"
    assert engine.jobs == ()


STUBBORN = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", file=sys.stderr, flush=True)
while True:
    time.sleep(1)
"""


@pytest.mark.parametrize("body", [BEHAVES, STUBBORN], ids=["behaves", "ignores every hint"])
def test_close_leaves_no_process(engine_of, body):
    engine = engine_of(body)
    engine.start()
    pid = engine.pid
    if body is STUBBORN:
        started(engine, "deaf")
    start = time.monotonic()
    engine.close()
    assert time.monotonic() - start < 2
    assert gone(pid)
    assert not engine.alive


def test_stop_does_not_wait_for_an_engine_that_reads_no_stdin(engine_of):
    engine = engine_of("print('here', file=sys.stderr, flush=True); time.sleep(600)")
    engine.start()
    pid = engine.pid
    started(engine, "here")
    engine.stop()
    assert engine.state is State.STOPPED
    run_until(engine, lambda _: gone(pid), timeout_s=TERMINATE_S * 0.7)


def test_stop_ends_even_an_engine_that_ignores_every_hint(engine_of, clock):
    engine = engine_of(STUBBORN)
    engine.start()
    pid = engine.pid
    started(engine, "deaf")
    engine.stop()
    time.sleep(0.2)
    engine.poll()
    assert not gone(pid)
    assert engine.alive
    clock.ahead = TERMINATE_S + 0.1
    run_until(engine, lambda _: gone(pid), timeout_s=5)
    engine.poll()
    assert not engine.alive


def test_children_of_the_engine_end_with_it(engine_of):
    engine = engine_of(
        """
        import subprocess
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        print("child", child.pid, file=sys.stderr, flush=True)
        time.sleep(600)
        """
    )
    engine.start()
    end = time.monotonic() + 10
    while "child" not in (text := Path(engine.log).read_text()):
        assert time.monotonic() < end
        time.sleep(0.01)
    child = int(text.split()[1])
    engine.close()
    while not gone(child) and Path(f"/proc/{child}/stat").read_text().split()[2] != "Z":
        assert time.monotonic() < end
        time.sleep(0.01)
