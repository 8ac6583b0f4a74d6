"""The state machine against processes that behave, die, babble and hang."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from addon.link import Cancelled, Engine, EngineError, Failed, Finished, Launch, Preview, Progress, State
from addon.link.engine import CANCEL_ACK_S, CANCEL_END_S, HANDSHAKE_S, MAX_FAILED_STARTS, TERMINATE_S
from tests.addon.link.fake import BEHAVES, run_until

PARAMS = {"prompt": "moss", "folder": "/tmp/somewhere"}


def gone(pid: int) -> bool:
    """Whether there is no such process, not even a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def ended(events):
    return any(isinstance(event, Finished | Failed | Cancelled) for event in events)


def test_a_run_goes_from_stopped_to_a_result(engine_of):
    engine = engine_of(BEHAVES)
    assert engine.state is State.STOPPED
    engine.generate(PARAMS)
    assert engine.state is State.STARTING
    events = run_until(engine, ended)
    assert [event.step for event in events if isinstance(event, Progress)] == [1, 2, 3]
    assert [event.file for event in events if isinstance(event, Preview)] == ["/tmp/none.rgba"]
    assert events[-1] == Finished({"folder": "/tmp/somewhere", "prompt": "moss", "variations": []})
    assert engine.state is State.READY
    assert engine.job is None
    assert (engine.facts.version, engine.facts.device) == ("9.9", "cpu")


def test_a_second_run_uses_the_same_process(engine_of):
    engine = engine_of(BEHAVES)
    engine.generate(PARAMS)
    run_until(engine, ended)
    pid = engine.pid
    engine.generate(PARAMS)
    assert engine.state is State.BUSY
    assert isinstance(run_until(engine, ended)[-1], Finished)
    assert engine.pid == pid


def test_one_run_at_a_time(engine_of):
    engine = engine_of(BEHAVES)
    engine.generate(PARAMS)
    with pytest.raises(EngineError, match="busy") as caught:
        engine.generate(PARAMS)
    assert caught.value.kind == "busy"


@pytest.mark.parametrize(
    "garbage", ["hello", "{", "[1, 2]", '{"id": 77, "result": {}}', '{"method": 5}', "\x00"]
)
def test_garbage_between_messages_changes_nothing(engine_of, garbage):
    engine = engine_of(f"print({garbage!r}, flush=True)\n" + BEHAVES)
    engine.generate(PARAMS)
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
    engine.generate(PARAMS)
    events = run_until(engine, ended)
    assert events == [Finished({"folder": "right"})]
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
    engine.generate(PARAMS)
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
    engine.generate(PARAMS)
    error = run_until(engine, ended)[-1].error
    assert (error.message, error.setting, error.value) == ("Too large.", "width", 512)
    assert engine.state is State.READY
    engine.generate(PARAMS)


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
    engine.generate(PARAMS)
    assert isinstance(run_until(engine, ended)[-1], Failed)


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
    engine.generate(PARAMS)
    events = run_until(engine, ended)
    assert words in events[-1].error.message
    assert engine.state is State.FAILED
    assert engine.job is None
    assert "last words" in engine.log_lines
    assert Path(engine.log).read_text().startswith("last words")


def test_what_was_written_before_death_is_not_lost(engine_of):
    engine = engine_of(BEHAVES.replace("variations=[])", "variations=[]); sys.exit(1)"))
    engine.generate(PARAMS)
    events = run_until(engine, lambda events: any(isinstance(event, Failed) for event in events))
    assert any(isinstance(event, Finished) for event in events)


def test_death_while_idle_is_noticed(engine_of):
    engine = engine_of(BEHAVES)
    engine.generate(PARAMS)
    run_until(engine, ended)
    os.kill(engine.pid, signal.SIGKILL)
    run_until(engine, ended)
    assert engine.state is State.FAILED


def test_restart_after_death_works(engine_of):
    engine = engine_of(BEHAVES)
    engine.generate(PARAMS)
    first = engine.pid
    os.kill(first, signal.SIGKILL)
    run_until(engine, ended)
    engine.restart()
    run_until(engine, lambda _: engine.state is State.READY)
    assert engine.failure is None
    engine.generate(PARAMS)
    assert isinstance(run_until(engine, ended)[-1], Finished)
    assert gone(first)


def test_restart_in_mid_job_forgets_the_job(engine_of):
    engine = engine_of(BEHAVES.replace('elif method == "generate":', 'elif method == "never":'))
    engine.generate(PARAMS)
    run_until(engine, lambda _: engine.state is State.BUSY)
    first = engine.pid
    engine.restart()
    assert engine.job is None
    run_until(engine, lambda _: engine.state is State.READY and gone(first))


def test_an_engine_that_never_answers_is_given_up(engine_of, clock):
    engine = engine_of("time.sleep(600)")
    engine.generate(PARAMS)
    engine.poll()
    assert engine.state is State.STARTING
    clock.ahead = HANDSHAKE_S + 1
    assert "does not answer" in engine.poll()[-1].error.message
    assert engine.state is State.FAILED


def test_an_engine_that_closes_its_stdout_is_given_up(engine_of):
    engine = engine_of("os.close(1); time.sleep(600)")
    engine.generate(PARAMS)
    assert "connection" in run_until(engine, ended)[-1].error.message


def test_another_protocol_is_refused_in_plain_words(engine_of):
    engine = engine_of(
        """
        for method, id, params in requests():
            answer(id, version="99", protocol=7)
        """
    )
    engine.generate(PARAMS)
    assert "protocol 7" in run_until(engine, ended)[-1].error.message
    assert engine.state is State.FAILED


def test_an_endless_line_is_given_up(engine_of, monkeypatch):
    monkeypatch.setattr("addon.link.framing.MAX_LINE_BYTES", 1000)
    engine = engine_of("sys.stdout.write('x' * 100_000); sys.stdout.flush(); time.sleep(600)")
    engine.generate(PARAMS)
    assert isinstance(run_until(engine, ended)[-1], Failed)


def test_failed_starts_end_in_advice_and_restart_gives_another_chance(engine_of):
    engine = engine_of("sys.exit(1)")
    for _ in range(MAX_FAILED_STARTS):
        engine.generate(PARAMS)
        run_until(engine, ended)
    with pytest.raises(EngineError, match="keeps ending"):
        engine.generate(PARAMS)
    engine.restart()
    assert engine.state is State.STARTING


def test_a_missing_python_is_said_and_can_be_put_right(launch_of):
    good = launch_of(BEHAVES)
    launches = [Launch(Path("/nowhere/python"), good.root, good.logs), good]
    engine = Engine(lambda: launches.pop(0))
    with pytest.raises(EngineError, match="not installed"):
        engine.generate(PARAMS)
    assert engine.state is State.MISSING
    assert engine.poll() == []
    try:
        engine.generate(PARAMS)
        assert isinstance(run_until(engine, ended)[-1], Finished)
    finally:
        engine.close()


@pytest.mark.parametrize("root", [None, Path("/nowhere")])
def test_a_missing_engine_folder_is_said(root, tmp_path):
    with pytest.raises(EngineError, match="preferences"):
        Engine(lambda: Launch(Path(sys.executable), root, tmp_path)).generate(PARAMS)


def test_a_python_that_cannot_be_started_is_said(launch_of, tmp_path):
    good = launch_of(BEHAVES)
    broken = tmp_path / "python"
    broken.write_text("no program")
    engine = Engine(lambda: Launch(broken, good.root, good.logs))
    with pytest.raises(EngineError, match="could not be started"):
        engine.generate(PARAMS)
    assert engine.state is State.FAILED


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
    engine.generate(PARAMS)
    run_until(engine, lambda _: engine.state is State.BUSY)
    pid = engine.pid
    engine.cancel()
    engine.cancel()
    assert engine.cancelling
    assert run_until(engine, ended) == [Cancelled()]
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
    engine.generate(PARAMS)
    run_until(engine, lambda _: engine.state is State.BUSY)
    pid = engine.pid
    engine.cancel()
    time.sleep(0.3)
    engine.poll()
    clock.ahead = patience_s - 1
    assert engine.poll() == []
    clock.ahead = patience_s + 1
    assert engine.poll() == [Cancelled()]
    assert engine.state is State.STOPPED
    clock.ahead += 10
    run_until(engine, lambda _: gone(pid))


def test_cancel_before_the_engine_is_ready(engine_of):
    engine = engine_of("time.sleep(0.3)\n" + CANCELS)
    engine.generate(PARAMS)
    engine.cancel()
    assert run_until(engine, ended) == [Cancelled()]


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


def started(engine, word):
    """Wait for the engine to have said a word on stderr."""
    end = time.monotonic() + 10
    while word not in Path(engine.log).read_text():
        assert time.monotonic() < end
        time.sleep(0.01)


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
    engine.generate({"prompt": "x" * 300_000})
    assert run_until(engine, ended)[-1] == Finished({"length": 300_000})


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


def test_the_engines_python_does_not_see_blenders_settings(engine_of, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/blender/lib")
    monkeypatch.setenv("PYTHONHOME_OF_SOMEONE", "1")
    monkeypatch.setenv("OTHER", "kept")
    engine = engine_of(
        """
        names = [name for name in os.environ if name.startswith("PYTHON")]
        print(names, os.environ["OTHER"], sys.flags.no_user_site, os.getcwd(), file=sys.stderr, flush=True)
        """
    )
    engine.start()
    run_until(engine, ended)
    assert engine.log_lines[-1] == f"[] kept 1 {engine._launch().root}"


def test_a_talkative_stderr_does_not_block_the_engine(engine_of):
    """A pipe that no one reads would hold 64 KiB and then the engine."""
    engine = engine_of("sys.stderr.write('x' * 1_000_000 + '\\n')\n" + BEHAVES)
    engine.generate(PARAMS)
    assert isinstance(run_until(engine, ended)[-1], Finished)


def test_old_logs_make_room(launch_of):
    launch = launch_of(BEHAVES)
    launch.logs.mkdir()
    for number in range(30):
        (launch.logs / f"engine-2020-{number:02}.log").write_text("old")
    (launch.logs / "mine.txt").write_text("not ours")
    engine = Engine(lambda: launch)
    engine.start()
    engine.close()
    assert len(list(launch.logs.glob("engine-*.log"))) == 8
    assert Path(engine.log).exists()
    assert (launch.logs / "mine.txt").exists()
