"""Starts: what can be missing, silent, of another kind, and where an engine runs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from addon.link import Engine, EngineError, Failed, Finished, Launch, State
from addon.link.engine import HANDSHAKE_S, MAX_FAILED_STARTS
from tests.addon.link.fake import BEHAVES, PARAMS, ended, run_until


def test_an_engine_that_never_answers_is_given_up(engine_of, clock):
    engine = engine_of("time.sleep(600)")
    engine.submit("generate", PARAMS)
    engine.poll()
    assert engine.state is State.STARTING
    clock.ahead = HANDSHAKE_S + 1
    assert "does not answer" in engine.poll()[-1].error.message
    assert engine.state is State.FAILED


def test_an_engine_that_closes_its_stdout_is_given_up(engine_of):
    engine = engine_of("os.close(1); time.sleep(600)")
    engine.submit("generate", PARAMS)
    assert "connection" in run_until(engine, ended)[-1].error.message


def test_another_protocol_is_refused_in_plain_words(engine_of):
    engine = engine_of(
        """
        for method, id, params in requests():
            answer(id, version="99", protocol=7)
        """
    )
    engine.submit("generate", PARAMS)
    assert "protocol 7" in run_until(engine, ended)[-1].error.message
    assert engine.state is State.FAILED


def test_an_endless_line_is_given_up(engine_of, monkeypatch):
    monkeypatch.setattr("addon.link.framing.MAX_LINE_BYTES", 1000)
    engine = engine_of("sys.stdout.write('x' * 100_000); sys.stdout.flush(); time.sleep(600)")
    engine.submit("generate", PARAMS)
    assert isinstance(run_until(engine, ended)[-1], Failed)


def test_failed_starts_end_in_advice_and_restart_gives_another_chance(engine_of):
    engine = engine_of("sys.exit(1)")
    for _ in range(MAX_FAILED_STARTS):
        engine.submit("generate", PARAMS)
        run_until(engine, ended)
    with pytest.raises(EngineError, match="keeps ending"):
        engine.submit("generate", PARAMS)
    engine.restart()
    assert engine.state is State.STARTING


def test_a_missing_python_is_said_and_can_be_put_right(launch_of):
    good = launch_of(BEHAVES)
    launches = [Launch(Path("/nowhere/python"), good.root, good.logs), good]
    engine = Engine(lambda: launches.pop(0))
    with pytest.raises(EngineError, match="not installed"):
        engine.submit("generate", PARAMS)
    assert engine.state is State.MISSING
    assert engine.poll() == []
    try:
        engine.submit("generate", PARAMS)
        assert isinstance(run_until(engine, ended)[-1], Finished)
    finally:
        engine.close()


@pytest.mark.parametrize("root", [None, Path("/nowhere")])
def test_a_missing_engine_folder_is_said(root, tmp_path):
    with pytest.raises(EngineError, match="preferences"):
        Engine(lambda: Launch(Path(sys.executable), root, tmp_path)).submit("generate", PARAMS)


def test_a_python_that_cannot_be_started_is_said(launch_of, tmp_path):
    good = launch_of(BEHAVES)
    broken = tmp_path / "python"
    broken.write_text("no program")
    engine = Engine(lambda: Launch(broken, good.root, good.logs))
    with pytest.raises(EngineError, match="could not be started"):
        engine.submit("generate", PARAMS)
    assert engine.state is State.FAILED


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
