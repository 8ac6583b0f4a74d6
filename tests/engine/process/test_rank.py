"""`rank`: pictures on the disk in the order in which they fit words, each with what is wrong with it."""

from __future__ import annotations

import dataclasses
import json
import signal

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import ValidationError

from engine import cli, cli_jobs
from engine.errors import Cancelled, InvalidRequest
from engine.generation import Models
from engine.host import Host
from engine.judging import run_rank
from engine.params import invalid
from engine.rank import Rank
from engine.starter.drawing import draw_maps
from engine.starter.materials import sample

RGB = ("red", "green", "blue")


def draw(path, family, seed=3, size=(128, 128)):
    maps = draw_maps(sample(seed, family), RGB, *size)
    Image.fromarray((maps.permute(1, 2, 0) * 255).round().byte().numpy()).save(path)
    return str(path)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A picture in three states, and others, by what they are."""
    root = tmp_path_factory.mktemp("pictures")
    found = {
        "bricks": draw(root / "a.png", "brick_wall"),
        "moss": draw(root / "b.png", "moss", size=(128, 256)),
        "wood": draw(root / "c.png", "wood_planks"),
    }
    with Image.open(found["bricks"]) as bricks:
        rolled = torch.from_numpy(np.asarray(bricks).copy()).roll((20, 50), (0, 1)).numpy()
        Image.fromarray(rolled).save(root / "rolled.png")
    Image.linear_gradient("L").save(root / "cut.png")
    Image.new("RGB", (64, 64), (90, 90, 90)).save(root / "flat.png")
    Image.new("RGB", (16, 64)).save(root / "tiny.png")
    (root / "broken.png").write_bytes(b"nonsense")
    return found | {name: str(root / f"{name}.png") for name in ("rolled", "cut", "flat", "tiny", "broken")}


@pytest.fixture
def judge(tiny_pack):
    def judge(paths, prompt="red bricks", **more):
        host = more.pop("host", Host(lambda *_: tiny_pack))
        return run_rank(Rank(prompt=prompt, files=paths, pack="tiny", views=4, **more), host)

    return judge


def test_the_best_comes_first_with_its_scores(judge, files):
    paths = [files[name] for name in ("moss", "bricks", "wood")]
    answer = judge(paths)
    scores = [f["judge_score"] for f in answer["files"]]
    assert scores == sorted(scores, reverse=True)
    assert [f["rank"] for f in answer["files"]] == [1, 2, 3]
    assert {f["file"] for f in answer["files"]} == set(paths)
    assert all(f["seamless"] and 0 < f["seam"] <= 1.25 for f in answer["files"])
    assert 1 <= answer["diversity"] <= 3
    json.dumps(answer)


def test_a_score_depends_on_neither_place_nor_neighbours(judge, files):
    together = judge([files["moss"], files["bricks"]])["files"]
    (alone,) = judge([files["bricks"]])["files"]
    (same,) = (f for f in together if f["file"] == files["bricks"])
    assert {**same, "rank": 1} == alone


def test_seams_flat_pictures_and_repetitions_are_told(judge, files):
    found = {f["file"]: f for f in judge([files[n] for n in ("bricks", "rolled", "cut", "flat")])["files"]}
    assert not found[files["cut"]]["seamless"]
    assert found[files["flat"]]["artefacts"] == ["flat"]
    twins = [found[files[name]] for name in ("bricks", "rolled")]
    better, worse = sorted(twins, key=lambda f: f["rank"])
    assert (better["repeats"], worse["repeats"]) == (None, better["rank"])
    assert worse["rank"] > found[files["flat"]]["rank"]  # whatever its score
    assert judge([files["cut"]], tile="none")["files"][0]["seamless"]


def test_what_is_not_wanted_counts(judge, files):
    plain, without = (judge([files["moss"]], negative=n)["files"][0]["judge_score"] for n in ("", "moss"))
    assert plain != without


def test_what_cannot_be_read_is_told_and_stops_nothing(judge, files):
    gone = files["bricks"] + ".png"
    answer = judge([files["broken"], files["tiny"], gone, files["wood"]])
    assert [f["file"] for f in answer["files"]] == [files["wood"]]
    said = {f["file"]: f["error"] for f in answer["unread"]}
    assert "broken.png is damaged" in said[files["broken"]]
    assert "tiny.png is too small" in said[files["tiny"]]
    assert "is not there" in said[gone]
    assert judge([gone])["files"] == []


def test_it_tells_how_far_it_is_and_stops_between_two(judge, files, tiny_pack):
    news = []
    host = Host(lambda *_: tiny_pack, on_progress=news.append, should_stop=lambda: len(news) == 2)
    with pytest.raises(Cancelled):
        judge([files["bricks"]] * 3, host=host)
    assert [(p.phase, p.step, p.total) for p in news] == [("rank", 1, 3), ("rank", 2, 3)]


def test_a_prompt_that_cannot_be_read_is_refused_before_networks_are_loaded(judge, files):
    with pytest.raises(InvalidRequest, match="column"):
        judge([files["moss"]], prompt="a:1:2:3", host=Host(lambda *_: pytest.fail("too late")))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"files": ["/a.png"]}, "'prompt' is missing"),
        ({"prompt": "x"}, "'files' is missing"),
        ({"prompt": "x", "files": []}, "'files' must be a list of 1 or more"),
        ({"prompt": "x", "files": ["a.png"]}, "'files' 1 must be an absolute path"),
        ({"prompt": "x", "files": ["/\ud800.png"]}, "'files' 1 must be an absolute path"),
        ({"prompt": "x", "files": ["/a.png"], "views": 0}, "'views' must be between 1 and 128"),
    ],
)
def test_bad_requests_are_refused_by_field(given, said):
    with pytest.raises(ValidationError) as caught:
        Rank.model_validate(given)
    assert said in invalid(caught.value, Rank).message


@pytest.fixture
def shell(tiny_pack, monkeypatch):
    monkeypatch.setattr(Models, "load", lambda *_: tiny_pack)


@pytest.mark.usefixtures("shell")
def test_a_shell_gets_json(files, capfd):
    assert cli.main(["rank", "red bricks", files["moss"], files["wood"], "--json", "--views", "2"]) == 0
    answer = json.loads(capfd.readouterr().out)
    assert [f["rank"] for f in answer["files"]] == [1, 2]


@pytest.mark.usefixtures("shell")
def test_a_folder_stands_for_its_pictures_and_what_cannot_be_read_makes_the_exit_code_1(files, capfd):
    assert cli.main(["rank", "red bricks", files["moss"].rpartition("/")[0]]) == 1
    out = capfd.readouterr().out
    assert "flat.png" in out and "broken.png is damaged" in out


@pytest.mark.usefixtures("shell")
def test_ctrl_c_ends_at_once_while_torch_is_loading(files, capfd, monkeypatch):
    monkeypatch.setattr(cli_jobs, "heavy", lambda _: signal.raise_signal(signal.SIGINT))
    assert cli.main(["rank", "red bricks", files["moss"]]) == 130
    assert "stopped; nothing was finished" in capfd.readouterr().err


@pytest.mark.usefixtures("shell")
def test_brackets_in_a_prompt_are_shown_as_they_are(files, capfd):
    assert cli.main(["rank", "red [/bricks]", files["moss"], "--views", "2"]) == 0
    assert "red [/bricks]" in capfd.readouterr().out


def test_a_shell_refuses_what_the_request_refuses(files):
    assert cli.main(["rank", "red bricks", files["moss"], "--tile", "z"]) == 2


def test_a_folder_without_pictures_is_named(tmp_path, capsys):
    assert cli.main(["rank", "red bricks", str(tmp_path)]) == 2
    assert f"There is no picture in {tmp_path}" in capsys.readouterr().err


def test_unknown_words_are_named(judge, files, tiny_pack):
    class Reader:
        def __getattr__(self, name):
            return getattr(tiny_pack.judge, name)

        def unknown_words(self, text):
            return [word for word in text.split() if word == "zwieback"]

    host = Host(lambda *_: dataclasses.replace(tiny_pack, judge=Reader()))
    assert judge([files["moss"]], prompt="zwieback bricks", host=host)["unknown_words"] == ["zwieback"]
