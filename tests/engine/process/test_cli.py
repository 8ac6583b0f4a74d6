"""The command line as a person meets it: help, refusals, exit codes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
from rich.console import Console

from engine import cli, cli_edits, cli_guiding, cli_report, cli_stop
from engine.models import packs
from engine.settings import RunSettings
from engine.synthesis.terms import TERMS

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["generate", " "], "The prompt is empty"),
        (["generate", "bricks", "--size", "250"], "in steps of 8; 250 was given"),
        (["generate", "bricks", "--size", "512x100"], "'height' must be between 128"),
        (["generate", "bricks", "--tile", "z"], "'tile' must be one of"),
        (["generate", "bricks", "--preset", "ston"], "There are: bark"),
        (["generate", "bricks", "--device", "gpu"], "'device' must be one of"),
        (["generate", "bricks | moss:x:0,5"], "column 17"),
        (["generate", "bricks", "--picture", "nowhere.png:0.5"], "nowhere.png is not there"),
        (["generate", "bricks", "--palette", "cream, reddish"], "'reddish' is no colour"),
        (["generate", "bricks", "--no-lettering", "-1"], "'anti_lettering' must be between"),
        (["generate", "bricks", "--lit-cuts", "2"], "'lit_cuts' must be between 0 and 1"),
        (["generate", "bricks", "--guide", "classic", "much", "1"], "'guides' 1 weight must be a number"),
        (["generate", "bricks", "--guide", "classic", "1", "0"], "'guides' 1 every"),
        (["generate", "bricks", "--checkpoint-every", "-1"], "'checkpoint_every' must be 0 or more"),
        (["generate", "bricks", "--pack", "nowhere"], "no pack called 'nowhere'"),
        (["generate", "bricks", "--mask", "x" * 300], "'mask'"),
        (["generate", "bricks", "--spot", "moss", "x" * 300], "'spots 1'"),
        (["generate", "bricks", "--palette", "red, " * 99 + "reddish"], "'reddish' is no colour"),
        (["resume", "nowhere"], "nothing to go on with"),
        (["resume", "x" * 300], "nothing to go on with"),
        (["rank", "bricks", "x.png", "--pack", "nowhere"], "no pack called 'nowhere'"),
        (["tag", "x.png", "--pack", "nowhere"], "no pack called 'nowhere'"),
        (["tag", "x.png", "--pretrained", "openai"], "--pretrained is of a model: name it by --model"),
        (["tag", "x.png", "--labels", " "], "'labels' 1 must be text that is not empty"),
        (["search", "x", "--folder", __file__], "test_cli.py is a file. Choose a folder"),
        (["index", "nowhere"], "There is no folder nowhere"),
        (["index", __file__], "There is no folder"),
        (["calibrate", "--materials", "1"], "'materials' must be 2 or more; 1 was given"),
        (["library-evaluate", "--materials", "0"], "'materials' must be 2 or more; 0 was given"),
        (["generate", "bricks", "--tile", "né\ud800"], '"né\\ud800" was given'),
    ],
)
def test_bad_input_is_refused_in_a_sentence_before_torch_is_there(capsys, arguments, said):
    assert cli.main(arguments) == 2
    streams = capsys.readouterr()
    assert said in streams.err
    assert streams.out == ""


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["interpolate", "a.png", "b.png", "--steps", "1"], "--steps: 'count'"),
        (["interpolate", "a.png", "b.png", "--guided", "-1"], "--guided: 'steps'"),
        (["generate", "bricks", "--no-lettering", "-1"], "--no-lettering: 'anti_lettering'"),
        (["generate", "bricks", "--size", "100"], "--size: 'width'"),
        (["generate", "bricks", "--lit-cuts", "2"], "patina: 'lit_cuts'"),  # one finds it by this name
    ],
)
def test_a_refusal_names_the_option_where_its_setting_is_called_otherwise(capsys, arguments, option):
    assert cli.main(arguments) == 2
    assert f"{option} must be" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["generate", "bricks", "--image", "loop.png"],
        ["generate", "bricks", "--mask", "loop.png"],
        ["generate", "bricks", "--picture", "loop.png"],
        ["refine", "loop.json"],
        ["vary", "loop.png"],
        ["remake", "loop.json"],
        ["interpolate", "loop.png", "loop.json"],
        ["story", "loop.json"],
    ],
)
def test_a_link_that_leads_to_itself_is_refused(capsys, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    for name in ("loop.png", "loop.json"):
        Path(name).symlink_to(name)
    assert cli.main(arguments) == 2
    assert "loop." in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        *([], ["fly"], ["generate"], ["generate", "x", "--size", "big"]),
        ["generate", "x", "--noise-prompt", "7:much"],
        ["generate", "x", "--size", "256x"],
    ],
)
def test_what_argparse_refuses_is_bad_input_too(capsys, arguments):
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_every_option_is_explained(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["generate", "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    options = "--negative --preset --variations --size --steps --seed --tile --pack --device --out --json"
    targets = "--picture --palette --palette-weight --no-lettering"
    assert all(option in text for option in f"{options} {targets}".split())
    assert "stone" in text


@pytest.mark.parametrize("command", [[], *([name] for name in cli.COMMANDS)], ids="".join)
def test_help_says_the_exit_codes(capsys, command):
    with pytest.raises(SystemExit):
        cli.main([*command, "--help"])
    assert "0 all is done; 2 for bad input; 130 after Ctrl-C; 1 for everything" in capsys.readouterr().out


def test_the_defaults_in_the_help_are_those_of_the_settings(capsys):
    with pytest.raises(SystemExit):
        cli.main(["generate", "--help"])
    options = " ".join(capsys.readouterr().out.split()).split(" --")
    for option, field in {
        "variations": "variations",
        "size": "width",
        "steps": "steps",
        "tile": "tile",
        "palette-weight": "palette_weight",
    }.items():
        explained = next(text for text in reversed(options) if text.startswith(option))
        default = str(RunSettings.model_fields[field].default).removesuffix(".0")
        assert f"(default: {default})" in explained


@pytest.mark.parametrize(
    ("written", "name", "weight", "aligned"),
    [
        ("a.png", "a.png", 1, True),
        ("a.png:-0.5", "a.png", -0.5, True),
        ("a.png:free", "a.png", 1, False),
        ("a.png:2:free", "a.png", 2, False),
        ("12:30 noon.png", "12:30 noon.png", 1, True),
    ],
)
def test_a_picture_is_named_with_weight_and_kind(written, name, weight, aligned):
    options = cli.parser().parse_args(["generate", "bricks", "--picture", written])
    assert options.pictures == [{"path": str(Path(name).resolve()), "weight": weight, "aligned": aligned}]


def test_what_else_guides_becomes_settings():
    written = "--guide a:b 0.5 4 --guide starter 1 1 --noise-prompt 7 --noise-prompt 8:-0.3 --lit-cuts 0.25"
    options = cli.parser().parse_args(["generate", "bricks", *written.split()])
    assert cli_guiding.settings_of(options) == {
        "guides": [
            {"name": "a:b", "weight": 0.5, "every": 4},
            {"name": "starter", "weight": 1.0, "every": 1},
        ],
        "noise_prompts": [{"seed": 7}, {"seed": 8, "weight": -0.3}],
        "lit_cuts": 0.25,
    }
    assert RunSettings.model_validate({"prompt": "x", "seed": 1, **cli_guiding.settings_of(options)})


def test_the_report_says_what_is_alike_what_is_wrong_and_what_it_took():
    facts = [{"rank": 1, "repeats": None, "artefacts": []}, {"rank": 2, "repeats": 1, "artefacts": ["noisy"]}]
    summary = {"diversity": 1.2345, "variations": facts, "memory": {"estimated": 3 << 20, "used": None}}
    assert cli_report.notes(summary) == [
        "Diversity: 1.23 of 2 (1: all alike)",
        "Rank 2: nearly repeats 1, noisy",
    ]
    assert cli_report.memory(summary) == "Memory: 3 MiB estimated"
    assert cli_report.memory({"memory": {"estimated": None, "used": None}}) == ""


SUMMARY = {
    "prompt": "[bold]bricks[/oops] :smile:", "seed": 1, "seconds": {"total": 2.0}, "warnings": [],
    "memory": {"used": None, "estimated": None}, "variations": [],
}  # fmt: skip


def test_brackets_in_a_prompt_are_shown_as_they_are(capsys):
    cli_report.show(Console(), SUMMARY, "/out/[/x]")
    said = capsys.readouterr().out
    assert "[bold]bricks[/oops] :smile:" in said
    assert "/out/[/x]" in said


@pytest.fixture
def _interrupts():
    """As in a shell; what is started in the background is deaf to Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_interrupts")
def test_the_first_interrupt_stops_and_the_second_ends():
    with cli_stop.on_interrupt() as stop:
        signal.raise_signal(signal.SIGINT)
        assert stop.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_brackets_in_the_name_of_a_pack_are_shown_as_they_are(capsys, monkeypatch):
    (pack,) = [p for p in packs.catalogue() if p["id"] == "starter"]
    monkeypatch.setattr(packs, "catalogue", lambda: [pack | {"description": "[/x]"}])
    assert cli.main(["models", "list"]) == 0
    assert "[/x]" in capsys.readouterr().out


def test_presets_are_listed_and_broken_ones_of_the_user_with_the_reason(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("PATINA_HOME", str(tmp_path))
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / "torn.json").write_text("{")
    assert cli.main(["presets"]) == 0
    said = capsys.readouterr().out
    assert "stone" in said
    assert "my_torn" in said
    assert "torn.json cannot be read" in said


def test_thumbnails_of_an_unknown_preset_are_bad_input(capsys):
    assert cli.main(["thumbnails", "ston"]) == 2
    assert "There is no preset 'ston'" in capsys.readouterr().err


@pytest.mark.parametrize("module", ["engine.cli", "engine.presets"])
def test_ctrl_c_while_the_command_itself_is_imported_is_told_as_ever(module):
    script = (
        "import runpy, sys\n"
        "class Interrupt:\n"
        "    def find_spec(self, name, *_):\n"
        f"        if name == {module!r}: raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupt())\n"
        "runpy.run_module('engine', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (130, b"\npatina: stopped; nothing was finished.\n")


def test_the_module_runs():
    done = subprocess.run(
        [sys.executable, "-m", "engine", "--version"], cwd=ROOT, capture_output=True, check=True
    )
    assert done.stdout.startswith(b"patina ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["generate", "bricks", "--start", "nois"], "'start' must be one of"),
        (["generate", "bricks", "--mask", "no-such.png"], "no-such.png is not there"),
        (["generate", "bricks", "--spot", "moss", "no-such.png"], "'spots 1'"),
        (["generate", "bricks", "--strength", "2"], "'strength' must be between 0 and 1"),
        (["refine", "no-such.json"], "'sidecar'"),
        (["refine", "no-such.json", "--scale", "3"], "'scale' must be 1 or 2"),
    ],
)
def test_bad_edits_are_refused_in_a_sentence(capsys, arguments, said):
    assert cli.main(arguments) == 2
    assert said in capsys.readouterr().err


def test_the_options_of_edits_say_what_the_settings_say():
    """Their defaults and names stand there by hand: settings would cost the handshake."""
    assert ", ".join(get_args(RunSettings.model_fields["start"].annotation)) == cli_edits.STARTS
    assert set(cli_edits.TERMS) == set(TERMS)
    for command in ("generate", "refine"):
        asked = ["--start", "noise", "--edges", "2", "--spot", "moss", "m.png", "--mask", "m.png"]
        options = cli.parser().parse_args([command, "x.json", *asked])
        here = str(Path("m.png").resolve())
        assert cli_edits.edits_of(options) == {
            "start": "noise",
            "edges": 2.0,
            "mask": here,
            "spots": [{"prompt": "moss", "mask": here}],
        }
    for name, text in cli_edits.NUMBERS.items():
        assert f"(default: {RunSettings.model_fields[name].default:g}" in text


@pytest.mark.parametrize("arguments", [["presets"], ["generate", "--help"], ["models", "list", "--json"]])
def test_who_stops_reading_gets_no_complaint(arguments):
    """As in `presets | head -1`: the pipe has no reader any more when the command writes to it."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "engine", *arguments]
    done = subprocess.run(command, cwd=ROOT, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert done.stderr == b""
    assert done.returncode in {0, 1}  # what argparse writes, it writes without asking whether that worked
