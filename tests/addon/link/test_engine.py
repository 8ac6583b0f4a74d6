"""Runs and what an engine says of them: results, news, refusals, garbage."""

from __future__ import annotations

import time

import pytest

from addon.link import Failed, Finished, Preview, Progress, State
from tests.addon.link.fake import BEHAVES, PARAMS, ended, run_until


def test_a_run_goes_from_stopped_to_a_result(engine_of):
    engine = engine_of(BEHAVES)
    assert engine.state is State.STOPPED
    job = engine.submit("generate", PARAMS)
    assert engine.state is State.STARTING
    events = run_until(engine, ended)
    assert [event.step for event in events if isinstance(event, Progress)] == [1, 2, 3]
    assert [event.file for event in events if isinstance(event, Preview)] == ["/tmp/none.rgba"]
    assert events[-1] == Finished(job, {"folder": "/tmp/somewhere", "prompt": "moss", "variations": []})
    assert engine.state is State.READY
    assert engine.jobs == ()
    assert (engine.facts.version, engine.facts.device) == ("9.9", "cpu")


def test_a_second_run_uses_the_same_process(engine_of):
    engine = engine_of(BEHAVES)
    engine.submit("generate", PARAMS)
    run_until(engine, ended)
    pid = engine.pid
    engine.submit("generate", PARAMS)
    assert engine.state is State.BUSY
    assert isinstance(run_until(engine, ended)[-1], Finished)
    assert engine.pid == pid


def test_several_jobs_are_answered_each_by_its_number(engine_of):
    engine = engine_of(BEHAVES)
    jobs = [engine.submit("generate", {**PARAMS, "folder": name}) for name in ("one", "two")]
    assert engine.jobs == tuple(jobs)
    events = run_until(engine, lambda seen: sum(isinstance(event, Finished) for event in seen) == 2)
    finished = {event.job: event.result["folder"] for event in events if isinstance(event, Finished)}
    assert finished == dict(zip(jobs, ("one", "two"), strict=True))
    assert engine.jobs == ()


@pytest.mark.parametrize(
    "garbage", ["hello", "{", "[1, 2]", '{"id": 77, "result": {}}', '{"method": 5}', "\x00"]
)
def test_garbage_between_messages_changes_nothing(engine_of, garbage):
    engine = engine_of(f"print({garbage!r}, flush=True)\n" + BEHAVES)
    engine.submit("generate", PARAMS)
    assert isinstance(run_until(engine, ended)[-1], Finished)


def test_news_of_another_job_are_dropped(engine_of):
    engine = engine_of(
        """
        for method, id, params in requests():
            if method == "initialize":
                greet(id); ready()
            else:
                tell("job/progress", job=id + 1, phase="guide", step=9, total=9, loss=None)
                tell("job/preview", job="other", variation=0, file="x", width=1, height=1)
                answer(id + 1, folder="stale")
                answer(id, folder="right")
                answer(id, folder="twice")
        """
    )
    job = engine.submit("generate", PARAMS)
    events = run_until(engine, ended)
    assert events == [Finished(job, {"folder": "right"})]
    time.sleep(0.05)
    assert engine.poll() == []


@pytest.mark.parametrize(
    "params", ["null", "[]", "{}", '{"job": 2, "step": "x", "phase": null, "total": true}']
)
def test_ill_typed_news_end_nothing(engine_of, params):
    engine = engine_of(
        f"""
        for method, id, params in requests():
            if method == "initialize":
                greet(id); ready()
            else:
                for kind in ("job/progress", "job/preview", "job/log", "ready", "job/queued"):
                    print('{{"jsonrpc": "2.0", "method": "' + kind + '", "params": {params}}}', flush=True)
                answer(id, folder="right")
        """
    )
    engine.submit("generate", PARAMS)
    assert isinstance(run_until(engine, ended)[-1], Finished)


def test_a_refused_run_keeps_the_engine_and_its_remedy(engine_of):
    engine = engine_of(
        """
        for method, id, params in requests():
            if method == "initialize":
                greet(id); ready()
            else:
                refuse(id, "Too large.", "invalid_request", remedy={"setting": "width", "value": 512})
        """
    )
    engine.submit("generate", PARAMS)
    error = run_until(engine, ended)[-1].error
    assert (error.message, error.setting, error.value) == ("Too large.", "width", 512)
    assert engine.state is State.READY
    engine.submit("generate", PARAMS)


@pytest.mark.parametrize("body", ["null", "3", "{}", '{"message": 5, "data": []}', '{"data": {"remedy": 1}}'])
def test_an_ill_formed_error_is_still_an_error(engine_of, body):
    engine = engine_of(
        f"""
        for method, id, params in requests():
            if method == "initialize":
                greet(id); ready()
            else:
                print('{{"id": ' + str(id) + ', "error": {body}}}', flush=True)
        """
    )
    engine.submit("generate", PARAMS)
    assert isinstance(run_until(engine, ended)[-1], Failed)


def test_a_request_larger_than_the_pipe_arrives_whole(engine_of):
    engine = engine_of(
        """
        time.sleep(0.5)
        for method, id, params in requests():
            if method == "initialize":
                greet(id); ready()
            else:
                answer(id, length=len(params["prompt"]))
        """
    )
    job = engine.submit("generate", {"prompt": "x" * 300_000})
    assert run_until(engine, ended)[-1] == Finished(job, {"length": 300_000})


def test_a_talkative_stderr_does_not_block_the_engine(engine_of):
    """A pipe that no one reads would hold 64 KiB and then the engine."""
    engine = engine_of("sys.stderr.write('x' * 1_000_000 + '\\n')\n" + BEHAVES)
    engine.submit("generate", PARAMS)
    assert isinstance(run_until(engine, ended)[-1], Finished)
