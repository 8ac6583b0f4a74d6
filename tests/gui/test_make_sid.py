"""The folder of Debian sid is there and complete, or not there at all."""

from __future__ import annotations

import os

import pytest

from tests.gui import make_sid


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("PATINA_SID_ROOT", str(tmp_path / "cache" / "sid"))
    monkeypatch.setattr(make_sid, "mirror", lambda: "http://mirror.invalid/debian")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return make_sid.location()


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """Stand-ins for the programs: a function that gives one its script."""

    def stand_in(name, script):
        tool = tmp_path / "bin" / name
        tool.parent.mkdir(exist_ok=True)
        tool.write_text(f"#!/bin/sh\n{script}\n")
        tool.chmod(0o755)

    for name in ("debootstrap", "chroot", "mount", "mountpoint"):
        stand_in(name, "exit 0")
    stand_in("unshare", 'shift 3; exec "$@"')
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    return stand_in


def test_a_folder_that_is_there_is_taken_without_any_tool_or_right(root, monkeypatch):
    root.mkdir(parents=True)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert make_sid.make() == root


def test_the_folder_gets_its_name_only_when_complete(root, tools):
    tools("debootstrap", f'mkdir -p "$3/var/lib/apt/lists"; test ! -e {root} && touch "$3/made"')
    assert make_sid.make() == root
    assert (root / "made").exists()
    assert (root / "host").is_dir()
    assert sorted(path.name for path in root.parent.iterdir()) == ["sid", "sid.lock"]


def test_a_failure_half_way_leaves_nothing_that_a_later_run_would_take(root, tools):
    tools("debootstrap", 'mkdir -p "$3/usr"; exit 3')
    with pytest.raises(make_sid.CannotMakeError, match="ended with 3"):
        make_sid.make()
    assert [path.name for path in root.parent.iterdir()] == ["sid.lock"]


def test_left_overs_of_a_killed_run_do_not_get_into_the_folder(root, tools):
    (root.parent / "sid.partial" / "stale").mkdir(parents=True)
    tools("debootstrap", 'mkdir -p "$3"')
    assert not (make_sid.make() / "stale").exists()


def test_a_machine_without_the_rights_hears_why(root, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(make_sid.CannotMakeError, match="needs root"):
        make_sid.make()
    assert not root.exists()


def test_a_machine_without_debootstrap_hears_why(root, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(make_sid.CannotMakeError, match="needs debootstrap"):
        make_sid.make()
    assert not root.exists()
