"""The queue, alone and in front of real processes: whatever becomes of the engine, no run is lost."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from addon.link import EngineError, Launch, State
from addon.queue import Queue, Run, work_of
from addon.session import Session
from tests.addon.link.fake import Clock

DIES_AT_ROT = """
import pathlib
seen = pathlib.Path(__file__).with_name("seen.txt")
for method, id, params in requests():
    if method == "initialize":
        answer(id, name="fake", version="9.9", protocol=1, methods=["generate", "vary"], packs=[], presets=[])
        ready()
    elif method == "cancel":
        answer(id, cancelled=True)
        refuse(params["job"], "Cancelled.", "cancelled")
    elif params["prompt"] == "rot":
        os._exit(3)
    elif params["prompt"] == "bad":
        refuse(id, "That is no good.", "invalid_request")
    elif params["prompt"] == "endless":
        tell("job/progress", job=id, phase="guide", step=1, total=9, loss=None, steps_per_second=1.0,
             seconds_left=8.0)
    else:
        with seen.open("a") as file:
            file.write(params["prompt"] + "\\n")
        answer(id, folder=params["folder"], prompt=params["prompt"], variations=[])
"""


@pytest.fixture
def session(launch_of, tmp_path):
    """Its engine dies over "rot", refuses "bad", never ends "endless" and makes everything else."""
    launch = launch_of(DIES_AT_ROT)
    made = Session(lambda: launch)
    yield made
    made.engine.close()


@pytest.fixture
def press(session, tmp_path):
    """Press Generate for each of some prompts."""

    def queue(*prompts):
        for prompt in prompts:
            session.generate({"prompt": prompt}, "cpu", tmp_path / "results", "Stone")

    return queue


def until(session, condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, (session.engine.state, session.status, session.error)
        session.poll()
        time.sleep(0.005)


def made(tmp_path):
    path = tmp_path / "engine" / "seen.txt"
    return path.read_text().split() if path.exists() else []


def idle(session):
    return lambda: not session.busy and not session.queue.waiting


def titles(session):
    return [run.title for run in session.queue.waiting]


def lost(session):
    return [entry.run.title for entry in session.queue.lost]


def test_runs_are_made_one_after_another_in_their_order(session, press, tmp_path):
    press("oak", "moss", "slate")
    assert titles(session) == ["moss", "slate"]
    assert len(session.engine.jobs) == 1, "more than one run was sent"
    until(session, idle(session))
    assert made(tmp_path) == ["oak", "moss", "slate"]
    assert session.error is None


def test_a_dying_engine_loses_nothing(session, press, tmp_path):
    press("rot", "moss", "slate")
    until(session, lambda: session.engine.state is State.FAILED)
    assert (titles(session), lost(session)) == (["moss", "slate"], ["rot"])
    assert "code 3" in session.queue.lost[0].message
    assert not session.busy
    for _ in range(5):
        session.poll()
    assert session.engine.state is State.FAILED, "the queue kept starting an engine that dies"
    session.restart()
    until(session, idle(session))
    assert made(tmp_path) == ["moss", "slate"]
    assert lost(session) == ["rot"], "the lost run is not offered any more"


def test_a_lost_run_tried_again_comes_first(session, press, tmp_path):
    press("rot", "moss")
    until(session, lambda: session.engine.state is State.FAILED)
    session.retry(session.queue.lost[0].run.number)
    assert session.queue.running.title == "rot"
    assert (titles(session), lost(session)) == (["moss"], [])
    until(session, lambda: session.engine.state is State.FAILED)
    assert lost(session) == ["rot"]
    press("oak")  # a new run starts the engine again
    until(session, idle(session))
    assert made(tmp_path) == ["moss", "oak"]


def test_a_refused_run_is_kept_and_the_others_go_on(session, press, tmp_path):
    press("bad", "moss")
    until(session, idle(session))
    assert made(tmp_path) == ["moss"]
    assert lost(session) == ["bad"]
    assert session.error.message == "That is no good.", "the next run took the message away"


def test_restarting_in_mid_run_keeps_the_run_and_the_queue(session, press, tmp_path):
    press("endless", "moss")
    until(session, lambda: session.progress > 0)
    session.restart()
    assert lost(session) == ["endless"]
    until(session, idle(session))
    assert made(tmp_path) == ["moss"]


def test_cancelling_the_run_lets_the_next_begin(session, press, tmp_path):
    press("endless", "moss")
    until(session, lambda: session.progress > 0)
    session.cancel()
    until(session, idle(session))
    assert made(tmp_path) == ["moss"]
    assert lost(session) == []


def test_waiting_runs_can_be_taken_out(session, press, tmp_path):
    press("endless", "moss", "slate", "oak")
    session.queue.forget(session.queue.waiting[1].number)
    assert titles(session) == ["moss", "oak"]
    session.queue.clear()
    assert titles(session) == []
    assert session.busy, "clearing the queue is not cancelling"
    session.cancel()
    until(session, idle(session))
    assert made(tmp_path) == []


def test_an_engine_that_cannot_be_started_holds_the_queue(launch_of, tmp_path):
    launches = [launch_of(DIES_AT_ROT), Launch(Path("/nowhere/python"), tmp_path, tmp_path)]
    session = Session(lambda: launches[0])
    for prompt in ("rot", "moss", "oak"):
        session.generate({"prompt": prompt}, "cpu", tmp_path / "results")
    until(session, lambda: session.engine.state is State.FAILED)
    del launches[0]
    session.queue.held = False
    session.go_on()
    assert (titles(session), lost(session)) == (["oak"], ["rot", "moss"])
    assert session.error.kind == "missing"
    with pytest.raises(EngineError):
        Session(lambda: launches[0]).generate({"prompt": "moss"}, "cpu", tmp_path)
    session.engine.close()


def test_the_engine_says_what_it_can_do(session, press):
    press("oak")
    until(session, idle(session))
    assert session.engine.facts.methods == ("generate", "vary")


def run(work):
    return Run("generate", {}, "cpu", Path(), "moss", work=work)


def test_the_time_left_is_that_of_all_runs():
    clock = Clock()
    queue = Queue(clock)
    first, *others = run(10.0), run(20.0), run(5.0)
    assert queue.seconds_left(None) is None, "nothing is known before the first run"
    queue.waiting = others
    queue.begin(first)
    assert queue.seconds_left(None) is None
    queue.moved()
    clock.ahead = 4.0
    # 4 s gone and 6 to come for a work of 10: one second each.
    assert queue.seconds_left(6.0) == pytest.approx(6 + 20 + 5, abs=0.2)
    clock.ahead = 12.0
    queue.finish()
    assert queue.seconds_left(None) == pytest.approx(25 * 1.2, abs=0.2)


def test_a_larger_picture_is_more_work():
    small = {"width": 256, "height": 256, "variations": 2, "steps": 12}
    assert work_of({**small, "width": 512}) == 2 * work_of(small)
    assert work_of(small, 2) == 4 * work_of(small)
    assert work_of({**small, "steps": 200}) > 5 * work_of(small)
    assert work_of({}) == work_of({"width": 256, "height": 256, "variations": 4, "steps": 12})


def test_sent_requests_are_what_was_asked_for(session, tmp_path):
    """Whatever the method: the folder is under the results, and named by the prompt."""
    session.enqueue(
        Run("vary", {"prompt": "oak", "result": "/x.json"}, "cpu", tmp_path / "results", "Old oak")
    )
    until(session, idle(session))
    assert session.folder.parent.parent == tmp_path / "results"
    assert session.folder.name == "001_old_oak"
