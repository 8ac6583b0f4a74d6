"""Stories: their language, frames that go on from each other, files, and stopping half-way."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from engine import cli, story
from engine.errors import Cancelled, InvalidRequest
from engine.synthesis.prompts import BadPrompt
from engine.synthesis.scenes import Scene, at, scenes
from tests.engine import runs

SMALL = {"pack": "tiny", "width": 128, "height": 128, "steps": 1, "cutouts": 2, "seed": 3}
MUD = "0: red bricks | 100%: moss"


@pytest.fixture
def tell(tiny_pack, tmp_path):
    def tell(name, params, **how):
        settings, _ = story.resolve({**params, "folder": str(tmp_path / name)})
        return runs.make(settings, tmp_path / name, tiny_pack, story.run_story, **how)

    return tell


def pixels(folder):
    return np.stack([np.asarray(Image.open(path), float) for path in sorted(folder.glob("frame_*.png"))])


# --- The language --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "times"),
    [
        ("0: a | 10: b | 20: c", [0, 0.5, 1]),
        ("0: a | 10: b", [0, 0.5]),  # frames, and the last ten are b
        ("0: a | 40: b | 80: c", [0, 0.5, 1]),  # drawn together to fit
        ("0%: a | 50%: b | 100%: c", [0, 0.5, 1]),
        ("0: a | .5: b | 1: c", [0, 0.5, 1]),
        ("5: a", [0.25]),
    ],
)
def test_times_are_frames_or_shares(written, times):
    found = scenes(written, 21)
    assert [scene.at for scene in found] == times
    assert [scene.text for scene in found] == ["a", "b", "c"][: len(times)]


def test_a_text_keeps_its_own_colons():
    assert scenes("0: rock: dark | 9: 3:1 mix", 10) == [Scene(0, "rock: dark"), Scene(1, "3:1 mix")]


@pytest.mark.parametrize(
    ("written", "column"),
    [("dry mud", 1), ("0: a | b", 7), ("0: | 1: b", 3), ("5: a | 5: b", 9), ("0: a | 120%: b", 8), ("", 1)],
)
def test_a_story_that_cannot_be_read_is_refused_by_its_column(written, column):
    with pytest.raises(BadPrompt) as caught:
        scenes(written, 24)
    assert (caught.value.field, abs(caught.value.column - column) <= 1) == ("story", True)


def test_between_two_times_lies_a_share():
    told = scenes("10%: a | 50%: b | 90%: c", 11)
    assert at(told, 0.0) == (0, 0, 0.0)
    assert at(told, 1.0) == (2, 2, 0.0)
    i, j, share = at(told, 0.6)
    assert (i, j, share) == (1, 2, pytest.approx(0.25))


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({}, "story"),
        ({"story": 3}, "story"),
        ({"story": "mud"}, "story"),
        ({"story": MUD, "frames": 1}, "frames"),
        ({"story": MUD, "fps": 0}, "fps"),
        ({"story": MUD, "prompt": "x"}, "prompt"),
        ({"story": MUD, "image": "/x.png"}, "image"),
        ({"story": MUD, "frame": 3}, "frame"),
        ({"story": MUD, "width": 100}, "width"),
        ({"sidecar": "story.json"}, "sidecar"),
        ({"sidecar": "/no/story.json"}, "sidecar"),
    ],
)
def test_bad_stories_are_refused_by_the_name_of_the_field(params, field):
    with pytest.raises(InvalidRequest) as caught:
        story.resolve({"folder": "/x", **params})
    assert caught.value.field == field


# --- The job -------------------------------------------------------------------------------------


def test_frames_an_animation_and_all_settings(tell, tmp_path):
    seen, shown = [], []
    summary = tell(
        "a", {**SMALL, "story": MUD, "frames": 4, "fps": 8}, on_progress=seen.append,
        on_preview=lambda *news: shown.append(news),
    )  # fmt: skip
    names = [f"frame_{i}.png" for i in ("0001", "0002", "0003", "0004")]
    assert summary["frames"] == sorted(p.name for p in (tmp_path / "a").glob("frame_*")) == names
    told = json.loads((tmp_path / "a" / "story.json").read_text("utf-8"))
    assert told["complete"] is True
    assert (told["settings"]["story"], told["settings"]["frames"], told["settings"]["steps"]) == (MUD, 4, 1)
    assert set(told["pack"]["sha256"]) >= {"generator", "guide"}
    with Image.open(tmp_path / "a" / "story.webp") as animation:
        assert (animation.n_frames, animation.size) == (4, (128, 128))
    assert shown[0][:2] == (0, "preview_0.rgba")
    guided = [(p.step, p.total) for p in seen if p.phase == "guide"]
    assert guided == [(i, 4) for i in (1, 2, 3, 4)]
    assert seen[-1].seconds_left is not None


def test_it_goes_from_the_first_scene_to_the_last_without_jumps(tell, tmp_path):
    tell("a", {**SMALL, "story": MUD, "frames": 5})
    frames = pixels(tmp_path / "a")
    steps = np.abs(np.diff(frames, axis=0)).mean((1, 2, 3))
    assert (steps > 0).all()
    whole = np.abs(frames[-1] - frames[0]).mean()
    assert whole > steps.max()
    to_end = [np.abs(frame - frames[-1]).mean() for frame in frames]
    assert to_end == sorted(to_end, reverse=True)


def test_every_frame_tiles(tell, tmp_path):
    tell("a", {**SMALL, "story": MUD, "frames": 3})
    for frame in pixels(tmp_path / "a").mean(-1):
        for axis in (0, 1):
            across = np.abs(np.take(frame, 0, axis) - np.take(frame, -1, axis)).mean()
            assert across < 2 * np.abs(np.diff(frame, axis=axis)).mean()


def test_the_same_again_from_story_json(tell, tmp_path):
    tell("a", {**SMALL, "story": MUD, "frames": 3})
    tell("b", {"sidecar": str(tmp_path / "a" / "story.json")})
    files = [{p.name: p.read_bytes() for p in (tmp_path / name).iterdir()} for name in "ab"]
    assert set(files[0]) == {"frame_0001.png", "frame_0002.png", "frame_0003.png", "story.json", "story.webp"}
    assert files[0] == files[1]
    tell("c", {"sidecar": str(tmp_path / "a" / "story.json"), "frames": 2})
    assert len(list((tmp_path / "c").glob("frame_*.png"))) == 2


@pytest.mark.parametrize("how", ["cancel", "interrupt"])
def test_stopping_keeps_the_frames_made_so_far(tell, tmp_path, how):
    made = lambda: len(list((tmp_path / "a").glob("frame_*.png")))

    def interrupt(_):
        if how == "interrupt" and made() == 2:
            raise KeyboardInterrupt

    stop = {"should_stop": lambda: how == "cancel" and made() == 2}
    with pytest.raises(Cancelled if how == "cancel" else KeyboardInterrupt):
        tell("a", {**SMALL, "story": MUD, "frames": 9}, on_progress=interrupt, **stop)
    told = json.loads((tmp_path / "a" / "story.json").read_text("utf-8"))
    assert told["complete"] is False
    assert told["frames"] == ["frame_0001.png", "frame_0002.png"]
    with Image.open(tmp_path / "a" / "story.webp") as animation:
        assert animation.n_frames == 2


def test_without_exemplars_the_latent_goes_on_by_guidance_alone(tell, tmp_path):
    tell("a", {**SMALL, "story": MUD, "frames": 3, "start": "noise", "lr": 0.5})
    frames = pixels(tmp_path / "a")
    assert (np.abs(np.diff(frames, axis=0)).mean((1, 2, 3)) > 0).all()


# --- The command line ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["story", "mud"], "a scene begins with its time"),
        (["story", MUD, "--frames", "1"], "'frames' must be between 2 and 1000"),
        (["story", "no-such.json"], "is not the story.json of a story"),
        (["story", MUD, "--pack", "No!"], "'pack'"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(capsys, arguments, said):
    assert cli.main(arguments) == 2
    assert said in capsys.readouterr().err


def test_help_explains_the_language(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["story", "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert 'story "0: dry mud | 40: cracked mud | 80: wet mud" --frames 24' in text
    assert all(option in text for option in ("--frames", "--fps", "--steps", "--size", "--seed", "Ctrl-C"))
    assert f"(default: {story.StorySettings.model_fields['frames'].default})" in text
    assert f"(default: {story.STEPS})" in text
