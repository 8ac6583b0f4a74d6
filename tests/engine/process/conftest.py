"""A client that talks to a real engine process, as the add-on does, but waits."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FAKE = [sys.executable, str(Path(__file__).with_name("fake_engine.py"))]
REAL = [sys.executable, "-m", "engine", "serve"]


class Client:
    """Starts an engine and reads what it says. Every line must be one JSON message."""

    def __init__(self, command, log: Path):
        self.log = log
        self.started = time.monotonic()
        env = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        with log.open("wb") as stderr:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr
            )
        self.seen = []
        self._unclaimed = []
        self._inbox = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            self._inbox.put(line)
        self._inbox.put(None)

    def write(self, data: bytes):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def send(self, method, params=None, request_id=None):
        message = {"jsonrpc": "2.0", "method": method, "params": params or {}}
        if request_id is not None:
            message["id"] = request_id
        self.write(json.dumps(message).encode() + b"\n")

    def next(self, timeout_s=20.0):
        line = self._inbox.get(timeout=timeout_s)
        assert line is not None, "the engine closed stdout:\n" + self.log.read_text()
        message = json.loads(line)
        self.seen.append(message)
        return message

    def until(self, wanted, timeout_s=20.0):
        """The first message that `wanted` is true of and that no call returned before."""
        end = time.monotonic() + timeout_s
        for message in self._unclaimed:
            if wanted(message):
                self._unclaimed.remove(message)
                return message
        while not wanted(message := self.next(max(0.01, end - time.monotonic()))):
            self._unclaimed.append(message)
        return message

    def answer(self, request_id, timeout_s=20.0):
        return self.until(lambda m: "method" not in m and m["id"] == request_id, timeout_s)

    def note(self, method, timeout_s=20.0):
        return self.until(lambda m: m.get("method") == method, timeout_s)["params"]

    def rest(self, timeout_s=5.0):
        """Everything up to the end of stdout."""
        found = []
        while (line := self._inbox.get(timeout=timeout_s)) is not None:
            found.append(json.loads(line))
        return found

    def close(self):
        self.process.kill()
        self.process.wait()
        self._reader.join()
        self.process.stdin.close()
        self.process.stdout.close()


@pytest.fixture(scope="session")
def fake_command():
    return FAKE


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    """One engine for all who may share it, warm, with what it said first: importing torch costs seconds."""
    client = Client(REAL, tmp_path_factory.mktemp("served") / "log")
    client.send("initialize", {}, "hello")
    client.hello = client.answer("hello", timeout_s=60)["result"]
    client.news = client.note("ready", timeout_s=300)
    yield client
    client.close()


@pytest.fixture
def start(tmp_path):
    clients = []

    def start(*arguments, fake=False):
        command = [*(FAKE if fake else REAL), *arguments]
        clients.append(Client(command, tmp_path / f"engine{len(clients)}.log"))
        return clients[-1]

    yield start
    for client in clients:
        client.close()


@pytest.fixture
def engine(start):
    """The product itself. Before `initialize` it has not imported torch, so this is cheap."""
    return start()


@pytest.fixture
def fake(start):
    """The product's server with synthetic jobs: see fake_engine.py."""
    return start(fake=True)
