"""Where commands write is made, or refused in a sentence, before the work that takes minutes or hours."""

from __future__ import annotations

import pytest

from engine import compute
from engine.cli import main
from engine.errors import DeviceUnavailable
from engine.starter import dataset
from engine.starter.evaluation.report import Report
from engine.starter.materials import __main__ as contact_sheet

COMMANDS = {
    "train": {"--work": "DIR", "--out": "DIR"},
    "evaluate": {"--work": "DIR", "--out": "FILE", "--report": "DIR"},
    "trial": {"--work": "DIR"},
    "gallery": {"--work": "DIR", "--out": "DIR"},
    "bench": {"--out": "DIR"},
    "calibrate": {"--work": "DIR", "--folder": "DIR"},
    "library-evaluate": {"--work": "DIR", "--out": "FILE"},
}
"""Where each writes that a person can choose."""

MORE = {"trial": ["judge"], "gallery": ["--only", "words"], "bench": ["--device", "cpu"]}
BEGINS = "The work begins."


@pytest.fixture
def idle(monkeypatch):
    """Stops a command, as bad input does, where it chooses its device, which all do before any work."""

    def begin(*_):
        raise DeviceUnavailable(BEGINS)

    monkeypatch.setattr(compute, "choose", begin)


def typed(command, place, **changed):
    """A command with everything that it writes below a folder."""
    places = {option: place / "new" / f"{kind}{option}" for option, kind in COMMANDS[command].items()}
    places |= {f"--{option}": path for option, path in changed.items()}
    return [command, *MORE.get(command, ()), *(str(word) for pair in places.items() for word in pair)]


@pytest.mark.parametrize(
    ("command", "option"), [(command, option) for command, options in COMMANDS.items() for option in options]
)
@pytest.mark.usefixtures("idle")
def test_what_cannot_be_written_is_said_before_the_work(tmp_path, capsys, command, option):
    (tmp_path / "taken").write_text("mine")
    assert main(typed(command, tmp_path, **{option[2:]: tmp_path / "taken" / "x"})) == 1
    said = capsys.readouterr().err
    assert f"{tmp_path / 'taken'}" in said and "there is a file" in said


@pytest.mark.parametrize("command", ["evaluate", "library-evaluate"])
@pytest.mark.usefixtures("idle")
def test_a_folder_is_no_place_for_figures(tmp_path, capsys, command):
    assert main(typed(command, tmp_path, out=tmp_path)) == 1
    assert "there is a folder of the file's name" in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.usefixtures("idle")
def test_folders_are_made_before_the_work(tmp_path, capsys, command):
    assert main(typed(command, tmp_path)) == 2
    assert BEGINS in capsys.readouterr().err
    kinds = set(COMMANDS[command].items())
    assert all((tmp_path / "new" / f"DIR{option}").is_dir() for option, kind in kinds if kind == "DIR")
    assert (tmp_path / "new").is_dir()


def test_a_report_is_written_into_a_folder_that_was_not_there(tmp_path):
    figures = Report(pack="tiny", sha256={}, families=("moss",), machine="a desk")
    (tmp_path / "evaluation.json").write_text(figures.model_dump_json(), "utf-8")
    place = tmp_path / "not" / "yet"
    assert (
        main(["evaluate", "--rewrite", "--out", str(tmp_path / "evaluation.json"), "--report", str(place)])
        == 0
    )
    assert (place / "REPORT.md").read_text("utf-8").startswith("# How good")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("taken/sheet.png", "there is a file"),
        ("sheet.txt", "sheet.txt is no picture's name"),
        ("sheet", "sheet is no picture's name"),
    ],
)
def test_a_contact_sheet_is_refused_before_it_is_drawn(tmp_path, capsys, monkeypatch, name, said):
    monkeypatch.setattr(contact_sheet, "render", None)
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(SystemExit):
        contact_sheet.main(["--sheet", str(tmp_path / name)])
    assert said in capsys.readouterr().err


def test_a_contact_sheet_is_written_into_a_folder_that_was_not_there(tmp_path, monkeypatch):
    monkeypatch.setattr(contact_sheet, "entries", lambda *_, **__: [])
    monkeypatch.setattr(contact_sheet, "sheet", lambda *_: contact_sheet.Image.new("RGB", (1, 1)))
    contact_sheet.main(["--sheet", str(tmp_path / "not" / "yet" / "sheet.png")])
    assert (tmp_path / "not" / "yet" / "sheet.png").is_file()


def test_materials_are_refused_before_they_are_rendered(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(dataset, "write", None)
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(SystemExit):
        dataset.main(["--count", "1", "--out", str(tmp_path / "taken")])
    assert "there is a file" in capsys.readouterr().err
