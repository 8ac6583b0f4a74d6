"""Runs that are stopped: what they leave, and that going on from there ends as if nothing had been."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from engine import checkpoint, resume
from engine.cli_stop import sentence
from engine.errors import Cancelled, InvalidRequest, Kept
from engine.hints import command
from engine.settings import RunSettings
from tests.engine import runs

ROOT = Path(__file__).parents[3]
PASTED = '".\\a b"' if sys.platform == "win32" else "./a b"
SETTINGS = RunSettings(
    prompt="red bricks", pack="tiny", seed=5, width=128, height=128, variations=2, steps=4, cutouts=2,
    lr=0.2, start="codes", proposals=1, judge_views=2,
)  # fmt: skip


@pytest.fixture(scope="module")
def go(tiny_pack):
    """Makes `SETTINGS` in a folder, stopped after so many guided steps, if any."""

    def run(folder, stop_at=None, settings=SETTINGS, **how):
        seen = []

        def stop():
            return stop_at is not None and sum(p.phase == "guide" for p in seen) >= stop_at

        return runs.make(
            settings, folder, tiny_pack, device="cpu", on_progress=seen.append, should_stop=stop, **how
        )

    return run


def contents(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.name != "summary.json"}


def test_what_a_stopped_run_has_is_kept_as_results(tmp_path, go):
    with pytest.raises(Cancelled) as caught:
        go(tmp_path, stop_at=2)
    assert caught.value.kept == Kept(str(tmp_path), 2)
    data = caught.value.as_dict()["data"]
    assert (data["kind"], data["folder"], data["stopped_at"]) == ("cancelled", str(tmp_path), 2)
    summary = json.loads((tmp_path / "summary.json").read_text("utf-8"))
    assert summary["stopped_at"] == 2
    assert len(summary["variations"]) == 2
    for v in summary["variations"]:
        assert all((tmp_path / name).is_file() for name in v["files"].values())
        assert json.loads((tmp_path / v["sidecar"]).read_text("utf-8"))["stopped_at"] == 2


def test_going_on_ends_with_the_bytes_of_a_run_that_was_never_stopped(tmp_path, go):
    go(tmp_path / "whole")
    for at in (1, 2):  # of the steps that each of the two makes
        with pytest.raises(Cancelled):
            go(tmp_path / "stopped", stop_at=at, resume=at > 1)
    settings, delivery = resume.resolve({"folder": str(tmp_path / "stopped")})
    assert delivery.resume
    assert settings == SETTINGS
    go(tmp_path / "stopped", settings=settings, resume=True)
    assert contents(tmp_path / "stopped") == contents(tmp_path / "whole")
    assert "stopped_at" not in json.loads((tmp_path / "stopped" / "summary.json").read_text("utf-8"))


def test_a_run_that_is_killed_goes_on_from_its_last_checkpoint(tmp_path, go, tiny_pack):
    """No orderly stop: the third step fails."""

    def die(progress):
        if (progress.phase, progress.step) == ("guide", 3):
            raise KeyboardInterrupt

    go(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        runs.make(SETTINGS, tmp_path / "killed", tiny_pack, on_progress=die, checkpoint_every=2)
    assert [p.step for p in checkpoint.read(tmp_path / "killed")[1]] == [2]
    go(tmp_path / "killed", resume=True)
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")


@pytest.fixture(scope="module")
def stopped_once(tmp_path_factory, go):
    folder = tmp_path_factory.mktemp("stopped")
    with pytest.raises(Cancelled):
        go(folder, stop_at=1)
    return folder


@pytest.fixture
def stopped(stopped_once, tmp_path):
    """The folder of a run that was stopped after its first step."""
    return shutil.copytree(stopped_once, tmp_path, dirs_exist_ok=True)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda a: a["settings"].update(lr=0.1), "begun with another 'lr'"),
        (lambda a: a["versions"].update(torch="1.0"), "begun with torch 1.0, and here is"),
        (lambda a: a["pack"]["sha256"].update(guide="ab"), "another guide of the pack"),
        (lambda a: a.update(device="cuda/float32"), "its device was cuda/float32"),
        (lambda a: a.update(inputs={"mask": "ab"}), "another file for 'mask'"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(stopped, go, change, said):
    path = stopped / checkpoint.NAME
    about, parts = checkpoint.read(stopped)
    change(about)
    checkpoint.write(stopped, about, parts)
    before = path.read_bytes()
    with pytest.raises(InvalidRequest, match=said) as caught:
        go(stopped, resume=True)
    assert "with generate" in caught.value.message
    assert path.read_bytes() == before  # another try may fit


def test_what_is_no_checkpoint_is_refused(tmp_path):
    with pytest.raises(InvalidRequest, match="nothing to go on with"):
        resume.resolve({"folder": str(tmp_path)})
    path = tmp_path / checkpoint.NAME
    path.write_bytes(b"\xff" * 20)
    with pytest.raises(InvalidRequest, match="cannot be read"):
        resume.resolve({"folder": str(tmp_path)})
    with pytest.raises(InvalidRequest, match="absolute path"):
        resume.resolve({"folder": "here"})
    with pytest.raises(InvalidRequest, match="own 'steps'"):
        resume.resolve({"folder": str(tmp_path), "steps": 3})


def test_a_damaged_checkpoint_is_refused(stopped):
    path = stopped / checkpoint.NAME
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InvalidRequest, match="cannot be read"):
        checkpoint.read(stopped)


def test_a_checkpoint_is_plain_safetensors(stopped, tmp_path):
    tensors = load_file(stopped / checkpoint.NAME)
    assert tensors["0/latent"].shape == tensors["0/second_moment"].shape
    save_file(tensors, tmp_path / "copy.safetensors")


def test_a_checkpoint_with_half_a_variation_is_refused(stopped):
    about, parts = checkpoint.read(stopped)
    checkpoint.write(stopped, about, [replace(parts[0], seeds=parts[0].seeds[:1])])
    with pytest.raises(InvalidRequest, match="cannot be read"):
        checkpoint.read(stopped)


def test_the_shell_says_where_it_is_and_how_it_goes_on(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = sentence(Cancelled("", kept=Kept(str(tmp_path / "a b"), 3)))
    assert "after step 3" in said
    last = said.splitlines()[-1].partition(": ")[2]
    assert shlex.split(last, posix=sys.platform != "win32")[-2:] == ["resume", PASTED]
    assert "nothing was finished" in sentence(Cancelled(""))
    assert "resume" not in sentence(Cancelled("", kept=Kept("/a", None)))


@pytest.mark.parametrize("where", [ROOT, Path(__file__).parent], ids=["inside", "elsewhere"])
def test_what_is_printed_can_be_pasted(where, monkeypatch):
    """From the checkout, where paths are short, and from a folder where no engine is found by its name."""
    monkeypatch.chdir(where)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    line = command("resume", str(where / "no such"))
    done = subprocess.run(line, shell=True, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "nothing to go on with" in done.stderr


INTERRUPTED = """
import signal, sys
from engine import cli, cli_jobs

show = cli_jobs.Bar.show

def watched(bar, progress):
    show(bar, progress)
    if (progress.phase, progress.step) == ("guide", 1):
        signal.raise_signal(signal.SIGINT)

code = cli.main([*sys.argv[1:], "whole"])
assert code == 0, code
cli_jobs.Bar.show = watched
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(cli.main([*sys.argv[1:], "stopped"]))
"""


@pytest.mark.slow
@pytest.mark.timeout(1800)  # two engines one after another, each of which loads torch and the pack
def test_stopped_by_ctrl_c_while_candidates_race_the_printed_advice_ends_with_the_same_bytes(tmp_path):
    """With the pack that ships, whose starts are drawn, and as a person does it."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    wish = ["generate", "red bricks", "--quality", "best", "--size", "128", "--steps", "6", "--seed", "5"]
    wish += ["--variations", "1", "--device", "cpu", "--out"]
    run = {"cwd": tmp_path, "env": environment, "text": True, "capture_output": True}
    stopped = subprocess.run([sys.executable, "-c", INTERRUPTED, *wish], check=False, **run)
    assert stopped.returncode == 130, stopped.stderr
    assert "stopped after step 1" in stopped.stderr
    (part,) = checkpoint.read(tmp_path / "stopped")[1]
    assert len(part.seeds) == 2  # both are still in
    advice = stopped.stderr.splitlines()[-1].partition("from there: ")[2]
    resumed = subprocess.run(advice, shell=True, check=False, **run)
    assert resumed.returncode == 0, resumed.stderr
    assert contents(tmp_path / "stopped") == contents(tmp_path / "whole")
