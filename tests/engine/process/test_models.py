"""`models` from a shell and over the protocol: what is said, and the exit codes."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace

import pytest

from engine import cli, server as server_module
from engine.models import packs
from tests.engine.models import tiny


@pytest.fixture
def server(pack_root, tmp_path, monkeypatch):
    monkeypatch.setenv("PATINA_HOME", str(tmp_path / "home"))
    with tiny.serving(tmp_path, monkeypatch) as server:
        yield server


def said(capsys, *arguments):
    code = cli.main(["models", *arguments])
    streams = capsys.readouterr()
    return code, " ".join(streams.out.split()), " ".join(streams.err.split())


def test_a_packs_life_from_a_shell(server, capsys, tmp_path):
    code, out, err = said(capsys, "download", "toy")
    assert code == 0 and "'toy' is here" in out and "not verified by us" in out
    assert "download" in err  # the bar, and nothing of it among the answers
    code, out, _ = said(capsys, "list", "--json")
    assert code == 0
    assert {p["id"]: p["installed"] for p in json.loads(out)["packs"]} == {"tiny": True, "toy": True}
    assert said(capsys, "verify")[0] == 0
    (tmp_path / "home/packs/toy/generator/model.safetensors").write_bytes(b"damaged")
    code, out, _ = said(capsys, "verify", "toy")
    assert code == 1 and "damaged" in out and out.count("good") == 2
    code, out, _ = said(capsys, "remove", "toy")
    assert code == 0 and "free again" in out
    code, out, _ = said(capsys, "add", "mine", str(tmp_path / "x.ckpt"), "--guide", "tiny", "--judge", "tiny")
    assert code == 0 and "256 of 256 codes" in out
    assert "mine" in packs.entries()


def test_the_table_says_what_is_here_and_what_is_verified(server, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    code, out, _ = said(capsys, "list")
    assert code == 0
    assert "tiny" in out and "ships" in out and "toy" in out and "unverified" in out


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["download", "nonsense"], 2, "There are: toy"),
        (["remove", "tiny"], 2, "ships with Patina"),
        (["remove", "nonsense"], 2, "was downloaded or added"),
        (["verify", "nonsense"], 2, "no pack called 'nonsense'"),
        (["add", "Bad Name", "x.ckpt"], 2, "small letters"),
        (["add", "mine", "missing.ckpt"], 2, "There is no file missing.ckpt"),
    ],
)
def test_what_is_refused_ends_with_2_and_a_sentence(server, capsys, arguments, code, sentence):
    found, out, err = said(capsys, *arguments)
    assert (found, out) == (code, "")
    assert sentence in err


def test_what_goes_wrong_ends_with_1(server, capsys):
    server.files.clear()
    code, _, err = said(capsys, "download", "toy")
    assert code == 1 and "patina: x.yaml is not to be had" in err


# --- The protocol --------------------------------------------------------------------------------


class Client:
    """A server in this process; answers and news as they come."""

    def __init__(self):
        self.sent = []
        self.server = server_module.Server(self.sent.append, end=lambda: None)
        self.server._jobs._prepare = dict  # no torch on a second thread here: the test has it already

    def ask(self, method, request_id, **params):
        message = {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}
        self.server.handle(json.dumps(message).encode())

    def answer(self, request_id, timeout_s=60.0):
        job = next((j for j in self.server._downloads._unfinished() if j.id == request_id), None)
        if job is not None:
            assert job.answered.wait(timeout_s)
        return next(m for m in self.sent if m.get("id") == request_id and "method" not in m)

    def job_answer(self, request_id, timeout_s=60.0):
        end = time.monotonic() + timeout_s
        while not any(m.get("id") == request_id and "method" not in m for m in self.sent):
            assert time.monotonic() < end
            time.sleep(0.01)
        return self.answer(request_id)

    def news(self, name="job/progress"):
        return [m["params"] for m in self.sent if m.get("method") == name]


def test_a_pack_is_listed_and_downloaded_over_the_protocol(server):
    client = Client()
    client.ask("models/list", 1)
    listed = client.answer(1)["result"]["packs"]
    assert {p["id"]: p["installed"] for p in listed} == {"tiny": True, "toy": False}
    client.ask("models/download", 2, pack="toy")
    assert client.answer(2)["result"]["pack"]["installed"] is True
    progress = client.news()
    assert {p["phase"] for p in progress} == {"download", "convert"}
    assert all(p["job"] == 2 and 0 <= p["step"] <= p["total"] for p in progress)
    client.ask("models/list", 3)
    assert all(p["installed"] for p in client.answer(3)["result"]["packs"])
    client.server.close()


def test_a_download_is_cancelled_over_the_protocol(server):
    """While the engine still starts up, and so before the first byte."""
    client = Client()
    client.server._jobs._prepare = lambda: client.ask("cancel", 3, job=2) or {}
    client.ask("models/download", 2, pack="toy")
    assert client.answer(2)["error"]["data"]["kind"] == "cancelled"
    assert client.answer(3)["result"] == {"cancelled": True}
    client.server.close()


def test_a_pack_is_added_over_the_protocol(server, tmp_path):
    client = Client()
    client.ask("models/add", 1, name="mine", generator=str(tmp_path / "x.ckpt"), guide="tiny", judge="tiny")
    added = client.answer(1)["result"]["pack"]
    assert (added["id"], added["installed"], added["ships"]) == ("mine", True, False)
    assert {p["phase"] for p in client.news()} == {"convert"}
    client.ask("models/add", 2, name="mine", generator=str(tmp_path / "x.ckpt"))
    assert "already" in client.answer(2)["error"]["message"]
    client.server.close()


@pytest.mark.parametrize(
    ("params", "kind", "field"),
    [
        ({}, "invalid_request", "name"),
        ({"name": 3}, "invalid_request", "name"),
        ({"name": "Bad Name", "generator": "/x.ckpt"}, "invalid_request", "name"),
        ({"name": "mine", "generator": "x.ckpt"}, "invalid_request", "generator"),
        ({"name": "mine", "generator": "/nowhere/x.ckpt"}, "invalid_request", "generator"),
        ({"name": "mine", "config": "x.yaml"}, "invalid_request", "config"),
        ({"name": "mine", "url": "http://x"}, "invalid_request", "url"),
        ({"name": "mine", "guide": "clips/mine"}, "invalid_request", "guide"),
        ({"name": "mine", "guide": "engine"}, "invalid_request", "guide"),  # a folder where the engine runs
        ({"name": "mine", "judge": "ViT-B-32:clips/x.pt"}, "invalid_request", "judge"),
        ({"name": "mine", "judge": "/a\0b"}, "invalid_request", "judge"),
    ],
)
def test_what_an_addition_refuses(server, params, kind, field):
    client = Client()
    client.ask("models/add", 1, **params)
    data = client.answer(1)["error"]["data"]
    assert (data["kind"], data.get("field")) == (kind, field)
    client.server.close()


def test_packs_are_verified_over_the_protocol(server, tmp_path):
    client = Client()
    client.ask("models/download", 1, pack="toy")
    client.answer(1)
    client.ask("models/verify", 2)
    packs_found = client.answer(2)["result"]["packs"]
    assert {p["id"] for p in packs_found} == {"tiny", "toy"}
    assert all(f["wrong"] is None for p in packs_found for f in p["files"])
    told = [p for p in client.news() if p["phase"] == "verify"]
    assert told[-1]["step"] == told[-1]["total"] == sum(len(p["files"]) for p in packs_found)
    (tmp_path / "home/packs/toy/guide/open_clip_model.safetensors").write_bytes(b"damaged")
    client.ask("models/verify", 3, pack="toy")
    (toy,) = client.answer(3)["result"]["packs"]
    wrong = {f["role"]: f["wrong"] for f in toy["files"]}
    assert wrong["generator"] is None
    assert "is damaged" in wrong["guide"]["message"] and wrong["guide"]["data"]["kind"] == "bad_weights"
    client.ask("models/verify", 4, pack="nonsense")
    assert client.answer(4)["error"]["data"]["kind"] == "unknown_pack"
    client.server.close()


def test_a_check_is_cancelled_over_the_protocol(server, monkeypatch):
    """While it hashes the first file: the others are not looked at."""
    client, looked = Client(), []

    def verify(pack_id, role, file):
        looked.append(role)
        client.ask("cancel", 3, job=2)

    monkeypatch.setattr(packs, "verify", verify)
    client.ask("models/verify", 2, pack="tiny")
    assert client.answer(2)["error"]["data"]["kind"] == "cancelled"
    assert len(looked) == 1
    client.server.close()


@pytest.mark.parametrize(
    ("params", "kind", "field"),
    [
        ({}, "invalid_request", "pack"),
        ({"pack": 3}, "invalid_request", "pack"),
        ({"pack": "toy", "url": "http://x"}, "invalid_request", "url"),
        ({"pack": "nonsense"}, "unknown_pack", "pack"),
        ({"pack": "../toy"}, "unknown_pack", "pack"),
    ],
)
def test_what_a_download_refuses(server, params, kind, field):
    client = Client()
    client.ask("models/download", 1, **params)
    data = client.answer(1)["error"]["data"]
    assert (data["kind"], data.get("field")) == (kind, field)
    client.server.close()


def test_a_pack_is_removed_over_the_protocol_and_no_longer_in_use(server):
    client = Client()
    client.ask("models/download", 1, pack="toy")
    client.answer(1)
    unloaded = []
    client.server._models = SimpleNamespace(unload=lambda pack=None: unloaded.append(pack) or 0)
    client.ask("models/remove", 2, pack="toy")
    assert client.job_answer(2)["result"]["freed"] > 0
    assert unloaded == ["toy"]
    client.ask("models/list", 3)
    assert {p["id"]: p["installed"] for p in client.answer(3)["result"]["packs"]}["toy"] is False
    client.ask("models/remove", 4, pack="tiny")
    assert "ships with Patina" in client.job_answer(4)["error"]["message"]
    client.ask("models/unload", 5)
    assert client.job_answer(5)["result"] == {"freed": 0}
    assert unloaded[-1] is None
    client.server.close()
