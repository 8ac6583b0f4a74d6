"""The server as a real child process: what it answers, and when it ends."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis.strategies import binary, dictionaries, none, one_of, sampled_from, text

from engine.errors import ParseError
from engine.protocol import MAX_LINE_BYTES
from engine.server import Server

ROOT = Path(__file__).parents[3]


def error_of(message):
    return message["error"]["data"]["kind"], message["error"]["data"].get("field")


def busy_s(pid):
    """Processor time of a process: unlike a clock, it does not blame it for what else the machine does."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:  # not Linux
        return float("inf")
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_the_handshake_answers_within_half_a_second(start):
    """Blender's panel waits for it; torch takes seconds to import, so it must not come first."""
    took = []
    while not took or (min(took) >= 0.5 and len(took) < 4):
        engine = start()
        engine.send("initialize", {"client": "test"}, 1)
        answer = engine.answer(1)["result"]
        took.append(min(time.monotonic() - engine.started, busy_s(engine.process.pid)))
        engine.process.kill()
    assert min(took) < 0.5
    assert answer["name"] == "patina-engine"
    assert answer["protocol"] == 1
    assert {"initialize", "generate", "cancel", "shutdown"} <= set(answer["methods"])
    assert "stone" in answer["presets"]


def test_nothing_heavy_is_imported_before_the_handshake():
    script = "import engine.__main__, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, check=True)
    assert not {b"torch", b"numpy", b"kornia", b"open_clip", b"PIL", b"rich"} & set(loaded.stdout.split())


@pytest.mark.parametrize(
    ("line", "kind", "field"),
    [
        (b"hello", "parse_error", None),
        (b"", "parse_error", None),
        (b'{"jsonrpc":"2.0","id":9,"method":"\xff"}', "parse_error", None),
        (b"x" * (MAX_LINE_BYTES + 1), "parse_error", None),
        (b"[" * (MAX_LINE_BYTES - 1), "parse_error", None),
        (b"[]", "invalid_request", None),
        (b'{"jsonrpc":"2.0","id":null,"method":"shutdown"}', "invalid_request", "id"),
        (
            b'{"jsonrpc":"2.0","id":9,"method":"rank","params":{"files":["/a.png"]}}',
            "invalid_request",
            "prompt",
        ),
        (b'{"jsonrpc":"2.0","id":9,"method":"fly"}', "unknown_method", None),
        (b'{"jsonrpc":"2.0","id":9,"method":"cancel"}', "invalid_request", "job"),
        (b'{"jsonrpc":"2.0","id":9,"method":"cancel","params":{"job":true}}', "invalid_request", "job"),
        (b'{"jsonrpc":"2.0","id":9,"method":"shutdown","params":{"now":1}}', "invalid_request", "now"),
        (b'{"jsonrpc":"2.0","id":9,"method":"initialize","params":{"a":1}}', "invalid_request", "a"),
        (b'{"jsonrpc":"2.0","id":9,"method":"generate","params":{}}', "invalid_request", "prompt"),
        (b'{"jsonrpc":"2.0","id":9,"method":"refine","params":{}}', "invalid_request", "sidecar"),
    ],
)
def test_a_bad_line_gets_one_typed_error_and_the_next_one_its_answer(fake, line, kind, field):
    fake.write(line + b"\n")
    assert error_of(fake.next()) == (kind, field)
    fake.send("cancel", {"job": "none"}, "next")
    assert fake.next() == {"jsonrpc": "2.0", "id": "next", "result": {"cancelled": False}}


def test_a_line_that_comes_in_bits_is_one_line(fake):
    for piece in (b'{"jsonrpc":"2.0","id"', b':1,"method":"can', b'cel","params":{"job":4}}', b"\n"):
        fake.write(piece)
        time.sleep(0.03)
    assert fake.next()["result"] == {"cancelled": False}


def test_notifications_are_heard_and_not_answered(fake):
    fake.send("fly")
    fake.send("generate", {"prompt": "x", "folder": "/tmp"})
    fake.send("cancel", {"job": 1}, 1)
    assert fake.next()["id"] == 1
    fake.send("shutdown")
    assert fake.process.wait(5) == 0
    assert fake.rest() == []


MESSAGES = dictionaries(
    sampled_from(["jsonrpc", "id", "method", "params", "result"]),
    one_of(none(), text(), sampled_from(["2.0", 1, True, [], {}, "initialize", "cancel", {"job": 1}])),
)


@given(line=one_of(binary(max_size=40), MESSAGES.map(lambda message: json.dumps(message).encode())))
def test_any_line_gets_one_answer_or_none_if_it_is_a_notification(line):
    sent = []
    server = Server(sent.append, end=lambda: None)
    server._jobs.start = lambda: None  # no torch here
    server.handle(line)
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        message = None
    heard = isinstance(message, dict) and "id" not in message and message.get("jsonrpc") == "2.0"
    heard = heard and isinstance(message.get("method"), str) and isinstance(message.get("params", {}), dict)
    assert len(sent) == (0 if heard else 1)


def test_a_line_that_the_framer_refused_is_answered():
    sent = []
    Server(sent.append, end=lambda: None).handle(ParseError("too long"))
    assert [message["error"]["message"] for message in sent] == ["too long"]


def test_it_answers_every_request_of_the_design():
    promised = "initialize generate refine vary maps rank tag index search models/list models/download cancel"
    more = "artifact/read artifact/write shutdown interpolate story resume library "
    more += "models/add models/verify models/remove models/unload"
    assert {*promised.split(), *more.split()} <= set(Server(print, end=lambda: None)._methods)


def test_strays_reach_the_log_and_not_the_protocol(fake, tmp_path):
    """print, a write to fd 1 as C libraries do it, and child processes: one of them would break a line."""
    fake.send("generate", {"prompt": "noisy", "folder": str(tmp_path), "steps": 2}, 1)
    fake.write(b'{"jsonrpc":"2.0","id":2,"method":"cancel","params":{"job":0}}\n')  # not eaten by a child
    fake.answer(2)
    assert fake.answer(1)["result"]["prompt"] == "noisy"
    log = fake.log.read_text()
    assert all(stray in log for stray in ("a stray print", "a stray write", "a chatty child"))


# --- Endings -------------------------------------------------------------------------------------


def test_shutdown_answers_and_ends_with_code_0(engine):
    engine.send("shutdown", {}, 1)
    assert engine.rest() == [{"jsonrpc": "2.0", "id": 1, "result": {}}]
    assert engine.process.wait(5) == 0


def test_shutdown_answers_all_jobs_first(fake, tmp_path):
    for job in (1, 2):
        fake.send("generate", {"prompt": "slow", "folder": str(tmp_path), "steps": 5000}, job)
    fake.note("job/progress")
    fake.send("shutdown", {}, 3)
    answers = [message for message in fake.rest() if "method" not in message]
    assert sorted(message["id"] for message in answers[:-1]) == [1, 2]
    assert all(error_of(message) == ("cancelled", None) for message in answers[:-1])
    assert answers[-1]["id"] == 3
    assert fake.process.wait(5) == 0


@pytest.mark.parametrize("prompt", ["slow", "stuck"])
def test_the_end_of_stdin_ends_it_within_two_seconds_in_mid_job(fake, tmp_path, prompt):
    """Blender was killed: a job that does not listen must not keep the engine, and its memory, alive."""
    fake.send("generate", {"prompt": prompt, "folder": str(tmp_path), "steps": 5000}, 1)
    fake.note("job/progress")
    start = time.monotonic()
    fake.process.stdin.close()
    assert fake.process.wait(5) == 0
    assert time.monotonic() - start < 2


def test_the_end_of_stdin_ends_it_while_torch_is_being_imported(engine):
    engine.send("initialize", {}, 1)
    engine.answer(1)
    time.sleep(0.3)
    engine.process.stdin.close()
    assert engine.process.wait(3) == 0


def test_it_ends_quietly_when_nobody_reads_its_answers(tmp_path, fake_command):
    request = {"prompt": "slow", "folder": str(tmp_path), "steps": 5000}
    line = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "generate", "params": request}).encode() + b"\n"
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            fake_command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
    with process.stdin:
        process.stdin.write(line)
        process.stdin.flush()
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(5) == 0
    assert "Traceback" not in (tmp_path / "log").read_text()


@pytest.mark.skipif(os.name == "nt", reason="the client's Job Object does this on Windows")
def test_the_death_of_the_parent_ends_it_even_if_stdin_stays_open(tmp_path, fake_command):
    """A sibling that inherited the pipe kept an orphan engine, and its graphics memory, alive."""
    requests, held_open = os.pipe()
    answers, engine_stdout = os.pipe()
    script = (
        "import subprocess, sys, time\n"
        "subprocess.Popen(sys.argv[3:], stdin=int(sys.argv[1]), stdout=int(sys.argv[2]))\n"
        "time.sleep(60)\n"
    )
    with (tmp_path / "log").open("wb") as log:
        parent = subprocess.Popen(
            [sys.executable, "-c", script, str(requests), str(engine_stdout), *fake_command],
            pass_fds=(requests, engine_stdout),
            stderr=log,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
    os.close(requests)
    os.close(engine_stdout)
    os.write(held_open, b"hello\n")
    with os.fdopen(answers, "rb") as stdout, os.fdopen(held_open, "wb"):
        assert json.loads(stdout.readline())["id"] is None
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        readable, _, _ = select.select([stdout], [], [], 2)
        assert readable  # the last holder of the pipe is gone: the engine
        assert stdout.read() == b""


def test_it_survives_the_end_of_the_thread_that_started_it(start):
    """Linux sends the death signal of a parent when only its starting thread ends."""
    started = []

    def start_and_leave():
        started.append(start(fake=True))
        started[0].send("cancel", {"job": 0}, "from the thread")
        started[0].answer("from the thread")  # so the engine is watching by now

    thread = threading.Thread(target=start_and_leave)
    thread.start()
    thread.join()
    with pytest.raises(subprocess.TimeoutExpired):
        started[0].process.wait(0.5)
    started[0].send("cancel", {"job": 0}, "later")
    assert started[0].answer("later")["result"] == {"cancelled": False}


# --- The queue -----------------------------------------------------------------------------------


def generate(client, job, folder, prompt="x", steps=2):
    client.send("generate", {"prompt": prompt, "folder": str(folder), "steps": steps}, job)


def test_jobs_run_in_order_and_say_how_many_are_before_them(fake, tmp_path):
    for job in ("a", "b", "c"):
        generate(fake, job, tmp_path)
    fake.answer("c")
    queued = [tuple(m["params"].values()) for m in fake.seen if m.get("method") == "job/queued"]
    assert queued.index(("b", 1)) < queued.index(("c", 2)) < queued.index(("c", 1))
    assert [m["id"] for m in fake.seen if "result" in m] == ["a", "b", "c"]
    assert [m["params"]["job"] for m in fake.seen if m.get("method") == "job/progress"] == [*"aabbcc"]


def test_cancel_stops_the_running_job_within_a_step(fake, tmp_path):
    generate(fake, 1, tmp_path, steps=5000)
    fake.note("job/progress")
    fake.send("cancel", {"job": 1}, 2)
    assert fake.answer(2)["result"] == {"cancelled": True}
    assert error_of(fake.answer(1)) == ("cancelled", None)
    steps = [m for m in fake.seen if m.get("method") == "job/progress"]
    assert len(steps) < 50  # of 5000; the ones that ran until the wish to stop had come over the pipe
    fake.send("cancel", {"job": 1}, 3)
    assert fake.answer(3)["result"] == {"cancelled": False}


def test_cancel_takes_a_waiting_job_out_and_the_queue_goes_on(fake, tmp_path):
    generate(fake, 1, tmp_path, steps=20)
    generate(fake, 2, tmp_path)
    generate(fake, 3, tmp_path)
    fake.send("cancel", {"job": 2}, 4)
    assert error_of(fake.answer(2)) == ("cancelled", None)
    assert "result" in fake.answer(3)
    assert not [m for m in fake.seen if m.get("method") == "job/progress" and m["params"]["job"] == 2]


def test_a_job_that_fails_is_answered_logged_and_followed_by_the_next(fake, tmp_path):
    generate(fake, 1, tmp_path, prompt="bug")
    generate(fake, 2, tmp_path)
    assert error_of(fake.answer(1)) == ("internal", None)
    assert "result" in fake.answer(2)
    log = fake.log.read_text()
    assert "ZeroDivisionError" in log
    ends = [line.split()[-1] for line in log.splitlines() if " job id=" in line]
    assert ends == ["outcome=internal", "outcome=done"]


def test_two_jobs_may_not_share_an_id_while_one_is_there(fake, tmp_path):
    generate(fake, 1, tmp_path, steps=10)
    generate(fake, 1, tmp_path)
    assert error_of(fake.answer(1)) == ("invalid_request", "id")
    assert "result" in fake.answer(1)
    generate(fake, 1, tmp_path)
    assert "result" in fake.answer(1)


def test_a_missing_pack_is_told_and_the_error_of_the_next_job(start, tmp_path):
    client = start("--no-pack", fake=True)
    client.send("initialize", {}, 1)
    assert client.note("job/log")["level"] == "error"
    assert client.note("ready")["pack"] is None
    generate(client, 2, tmp_path)
    assert error_of(client.answer(2)) == ("unknown_pack", None)


def test_a_figure_that_is_no_number_is_null(fake, tmp_path):
    """NaN is not JSON: Blender's reader would have dropped the line, and the loss with it."""
    generate(fake, 1, tmp_path)
    assert fake.note("job/progress")["loss"] is None
