"""The installer for real, offline: into an empty folder, killed, cancelled, damaged, full, removed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from addon.link import EngineError
from addon.link.installation import Installation, Setup, Task, state_of
from addon.link.installer import record
from tests.addon.link import wheels
from tests.addon.link.fake import gone


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Wheels and program, and an engine installed from them. Its tools are good for every test."""
    folder = tmp_path_factory.mktemp("installer")
    wheels.make(folder)
    return folder


@pytest.fixture
def installation():
    made = Installation()
    yield made
    made.close()


def task(place, folder, what="install", **changes):
    facts = {
        "source": place / "program",
        "backend": "cpu" if sys.platform != "linux" else "cuda",  # a default build: all of it has hashes
        "wheels": place / "wheels",
        "pythons": (sys.executable,),
    }
    return Task(what, folder, Path(sys.executable), place / "logs", **{**facts, **changes})


def follow(installation, until=lambda _: False, timeout_s=60.0):
    """Poll as the pump does until the installer is over or `until` says so. Returns every text it showed."""
    shown, end = [], time.monotonic() + timeout_s
    while installation.running and not until(installation):
        installation.poll()
        if installation.text and installation.text not in shown[-1:]:
            shown.append(installation.text)
        assert time.monotonic() < end, f"{shown} {installation.log_lines(20)}"
        time.sleep(0.01)
    return shown


def done(installation, wanted):
    """Run a task to its good end. Returns what it showed."""
    installation.start(wanted)
    shown = follow(installation)
    failure = installation.failure
    assert failure is None, (failure.message, failure.details, installation.log_lines(20))
    return shown


def failed(installation, wanted):
    """Run a task that must fail. Returns the failure."""
    installation.start(wanted)
    follow(installation)
    assert installation.failure is not None
    return installation.failure


@pytest.fixture(scope="module")
def whole(place):
    """A folder where everything was installed, with a blank and an umlaut in its name."""
    folder = place / "the engine für alle"
    installation = Installation()
    assert state_of(folder) is Setup.MISSING
    shown = done(installation, task(place, folder))
    assert installation.progress > 0.9
    assert [text for text in shown if text.startswith("Downloading packages")], shown
    return folder


@pytest.fixture
def started(place, tmp_path, whole):
    """A folder where the tools are there already: they take most of the time, and are the same everywhere."""
    folder = tmp_path / "engine"
    folder.mkdir()
    shutil.copytree(whole / "tools", folder / "tools", symlinks=True)
    known = record.read(whole)
    record.write(folder, record.Record(done={"tools": known.done["tools"]}))
    return folder


def test_an_empty_folder_becomes_an_engine(whole):
    assert state_of(whole) is Setup.READY
    found = record.read(whole)
    assert (found.version, found.device) == ("9.9", "cpu")
    assert not (whole / "cache").exists()
    code = "import patina_tiny; print(patina_tiny.VALUE)"
    out = subprocess.run([record.python_of(whole), "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout == "here\n"


def test_the_engine_is_a_command_wherever_one_stands(whole, tmp_path):
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine/__main__.py").write_text("raise SystemExit('the wrong engine')")
    hello = b'{"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {}}\n'
    said = subprocess.run(
        [whole / "patina", "serve"], cwd=tmp_path, input=hello, stdout=subprocess.PIPE, check=True
    )
    assert b'"version": "9.9"' in said.stdout


def test_killed_in_the_middle_it_is_incomplete_and_goes_on(place, tmp_path, installation):
    """At the longest step, with everything that it had started."""
    folder = tmp_path / "engine"
    installation.start(task(place, folder))
    follow(installation, lambda i: i.text == "Installing the installer")
    assert state_of(folder) is Setup.INCOMPLETE
    os.killpg(installation._process.pid, signal.SIGKILL)
    follow(installation)
    assert installation.failure.kind == "died"
    assert state_of(folder) is Setup.INCOMPLETE
    kept = (folder / "program/engine/cli.py").stat().st_ino
    done(installation, task(place, folder))
    assert state_of(folder) is Setup.READY
    assert (folder / "program/engine/cli.py").stat().st_ino == kept, "the program was copied again"


def test_cancelled_it_stops_what_it_started_and_goes_on_later(place, started, installation):
    (started / "tools").rename(started / "was")
    installation.start(task(place, started))
    follow(installation, lambda i: i.text == "Installing the installer")
    pid = installation._process.pid
    installation.cancel()
    assert (installation.cancelling, installation.text) == (True, "Stopping")
    begin = time.monotonic()
    follow(installation)
    assert time.monotonic() - begin < 10
    assert (installation.failure, installation.running, gone(pid)) == (None, False, True)
    assert state_of(started) is Setup.INCOMPLETE
    shutil.rmtree(started / "tools", ignore_errors=True)
    (started / "was").rename(started / "tools")
    done(installation, task(place, started))
    assert state_of(started) is Setup.READY


def test_what_is_there_already_is_not_made_again(place, whole, installation):
    shown = done(installation, task(place, whole))
    assert not {"Installing the installer", "Downloading packages", "Looking for Python"} & set(shown)


def test_too_little_room_is_said_with_numbers_before_anything_is_written(place, tmp_path, installation):
    program = shutil.copytree(place / "program", tmp_path / "program")
    (program / "requirements/sizes.json").write_text('{"cuda": 9000000000000000, "cpu": 9000000000000000}')
    failure = failed(installation, task(place, tmp_path / "engine", source=program))
    assert failure.kind == "space"
    assert "9000000.3 GB" in failure.message and "are free" in failure.message
    assert not (tmp_path / "engine/program").exists()


def test_a_package_with_another_hash_is_refused(place, started, tmp_path, installation):
    program = shutil.copytree(place / "program", tmp_path / "program")
    lock = program / "requirements/engine.txt"
    lock.write_text(lock.read_text()[:-5] + "0000\n")
    failure = failed(installation, task(place, started, source=program))
    assert failure.kind == "hash", failure.details
    assert state_of(started) is Setup.INCOMPLETE
    assert any("patina-tiny" in line or "patina_tiny" in line for line in failure.details.splitlines())


def test_without_a_network_it_says_so(place, started, tmp_path, installation, monkeypatch):
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("UV_NO_CONFIG", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    failure = failed(installation, task(place, started, wheels=None))
    assert failure.kind == "network", failure.details
    assert "what has come is kept" in failure.message


def test_a_folder_that_lacks_a_wheel_is_said_to(place, started, tmp_path, installation):
    (tmp_path / "wheels").mkdir()
    failure = failed(installation, task(place, started, wheels=tmp_path / "wheels"))
    assert failure.kind == "packages", failure.details


def test_a_python_that_cannot_make_environments_is_passed_over(place, tmp_path, installation):
    failure = failed(installation, task(place, tmp_path / "engine", pythons=("/bin/false",)))
    assert failure.kind == "python"
    assert "python3-venv" in failure.message


def test_damage_is_found_and_repaired(place, started, installation):
    done(installation, task(place, started))
    (started / "program/engine/model.bin").write_text("wrong")
    failure = failed(installation, task(place, started, "verify"))
    assert failure.kind == "damaged" and "model.bin" in failure.details
    assert state_of(started) is Setup.INCOMPLETE
    done(installation, task(place, started, "repair"))
    assert state_of(started) is Setup.READY
    package = next((started / "env").rglob("patina_tiny.py"))
    package.unlink()
    assert failed(installation, task(place, started, "verify")).kind == "damaged"
    done(installation, task(place, started, "repair"))
    assert state_of(started) is Setup.READY and package.exists()
    done(installation, task(place, started, "verify"))


def test_two_at_once_take_no_turns_in_one_folder(place, started, installation):
    with record.alone(started):
        assert failed(installation, task(place, started)).kind == "busy"
    installation.start(task(place, started, "verify"))
    with pytest.raises(EngineError, match="at work already"):
        installation.start(task(place, started))


def test_removing_takes_only_what_was_made(place, started, installation):
    done(installation, task(place, started))
    (started / "my notes.txt").write_text("keep")
    done(installation, task(place, started, "remove"))
    assert [path.name for path in started.iterdir()] == ["my notes.txt"]
    assert state_of(started) is Setup.MISSING
    assert failed(installation, task(place, started, "remove")).kind == "missing"
    assert (started / "my notes.txt").exists()


def test_removing_an_engine_leaves_no_folder(place, started, installation):
    done(installation, task(place, started, "remove"))
    assert not started.exists()


def archive(place, path, top="patina-engine/"):
    with zipfile.ZipFile(path, "w") as file:
        for source in sorted((place / "program").rglob("*")):
            if source.is_file() and "__pycache__" not in source.parts:
                file.write(source, top + source.relative_to(place / "program").as_posix())
    return path


def test_the_published_file_serves_and_must_be_the_right_one(place, started, tmp_path, installation):
    file = archive(place, tmp_path / "patina-engine-9.9.zip")
    failure = failed(installation, task(place, started, source=file, sha256="0" * 64))
    assert failure.kind == "hash" and "patina-engine-9.9.zip" in failure.message
    done(installation, task(place, started, source=file))
    assert state_of(started) is Setup.READY


@pytest.mark.parametrize("name", ["../escape.py", "/etc/escape.py", "engine/../../escape.py"])
def test_an_archive_that_climbs_out_is_refused(place, started, tmp_path, installation, name):
    file = archive(place, tmp_path / "bad.zip", top="")
    with zipfile.ZipFile(file, "a") as more:
        more.writestr(name, "boo")
    assert failed(installation, task(place, started, source=file)).kind == "source"
    assert not list(tmp_path.rglob("escape.py"))


def test_what_is_no_engine_is_named(place, tmp_path, installation):
    for source in (tmp_path, tmp_path / "nothing.zip", Path(__file__)):
        failure = failed(installation, task(place, tmp_path / "engine", source=source))
        assert failure.kind == "source" and source.name in failure.message
    assert state_of(tmp_path / "engine") is Setup.MISSING
