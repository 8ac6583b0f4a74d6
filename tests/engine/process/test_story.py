"""Stories: their language, frames that go on from each other, files, and stopping half-way."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
import torch
from PIL import Image

from engine import cli, cli_guiding, cli_vary, story
from engine.errors import Cancelled, InvalidRequest
from engine.models import extra
from engine.models.packs import ExtraClip
from engine.synthesis.losses import prompt_loss
from engine.synthesis.prompts import BadPrompt
from engine.synthesis.scenes import Scene, at, scenes
from engine.synthesis.story import faded
from engine.synthesis.targets import Target
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
    [
        *[
            ("dry mud", 1),
            ("a | 0: b", 1),
            ("0: | 1: b", 3),
            ("5: a | 5: b", 9),
            ("0: a | 120%: b", 8),
            ("", 1),
        ],
        *[("0: a | b: | 9: c", 11), ("0: a | 9: b:x:0,5", 16), ('0: a | 9: "b', 11), ("0: a | 9: b:-1", 11)],
    ],
)
def test_a_story_that_cannot_be_read_is_refused_by_its_column(written, column):
    with pytest.raises(BadPrompt) as caught:
        scenes(written, 24)
    assert (caught.value.field, abs(caught.value.column - column) <= 1) == ("story", True)


@pytest.mark.parametrize(
    ("written", "texts"),
    [
        ("0: mossy cobblestones | wet:0.4 | 40: dry mud", ["mossy cobblestones | wet:0.4", "dry mud"]),
        ('0: mud | "40: old":0.5 | 50%: moss', ['mud | "40: old":0.5', "moss"]),
        ('0: "a | 3: b" | c:-0.2:1.3 | 9:"d"', ['"a | 3: b" | c:-0.2:1.3', '"d"']),
        ("0: rock | dark: 3 | 5 %: x", ["rock | dark: 3", "x"]),
    ],
)
def test_a_bar_begins_a_scene_only_before_a_number_and_a_colon(written, texts):
    assert [scene.text for scene in scenes(written, 24)] == texts


def test_on_the_way_the_strongest_wishes_meet_and_all_else_fades():
    a, b, c = torch.eye(3)
    first = Target.of([b, a], [0.4, 1.0], [-torch.inf, 0.2])
    second = Target.of([c, b], [2.0, -0.5])
    assert faded(first, second, 0) is first
    half = faded(first, second, 0.5)
    lead = torch.tensor([0.5**0.5, 0, 0.5**0.5])
    torch.testing.assert_close(half.embeddings, torch.stack([lead, b, b]))
    assert half.weights.tolist() == pytest.approx([1.5, 0.2, -0.25])
    plain = faded(Target.of([a], [1.0]), Target.of([b], [1.0]), 0.25)
    assert (len(plain), plain.weights.tolist(), plain.stops.tolist()) == (1, [1.0], [-torch.inf])


def test_what_all_scenes_push_away_counts_as_much_on_the_way():
    """Lettering and negative words are of both scenes: their halves make one whole."""
    a, b, c = torch.eye(3)
    between = faded(Target.of([a, c], [1.0, -0.3]), Target.of([b, c], [1.0, -0.3]), 0.5)
    e = torch.nn.functional.normalize(torch.rand(2, 4, 3, generator=torch.Generator().manual_seed(1)), dim=-1)
    once = Target(between.embeddings[:2], torch.tensor([1.0, -0.3]), between.stops[:2])
    losses = [prompt_loss(e, x.embeddings, x.weights, x.stops) for x in (between, once)]
    torch.testing.assert_close(*losses)


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
        ({"story": MUD, "candidates": 2}, "candidates"),
        ({"story": MUD, "coarse": True}, "coarse"),
        ({"story": MUD, "judge_views": 2}, "judge_views"),
        ({"story": MUD, "maps": ["normals"]}, "maps"),
        ({"story": MUD, "maps": "normal"}, "maps"),
        ({"story": "0: moss:0 | 9: mud"}, "story"),
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


def test_a_story_fills_nothing_that_it_would_not_use(tmp_path):
    settings, _ = story.resolve({**SMALL, "story": MUD, "quality": "best", "folder": str(tmp_path)})
    assert (settings.candidates, settings.coarse, settings.prompt) == (1, False, "red bricks")


def test_maps_of_every_frame_are_image_sequences(tell, tmp_path):
    kinds = ["normal", "roughness", "metallic", "height", "ao", "emission"]
    tell("all", {**SMALL, "story": MUD, "frames": 3, "maps": kinds})
    told = json.loads((tmp_path / "all" / "story.json").read_text("utf-8"))
    assert told["maps"] == {kind: [f"{kind}_{i:04}.png" for i in (1, 2, 3)] for kind in kinds}
    assert len(told["reliefs"]) == 3 and all(0 < relief < 1 for relief in told["reliefs"])
    first = {kind: np.asarray(Image.open(tmp_path / "all" / f"{kind}_0001.png"), float) for kind in kinds}
    assert {kind: x.shape for kind, x in first.items()} == {
        kind: (128, 128, 3) if kind in {"normal", "emission"} else (128, 128) for kind in kinds
    }
    assert first["height"].max() > 255  # 16 bits
    assert first["normal"][..., 2].mean() > 200 and first["roughness"].std() > 0
    last = np.asarray(Image.open(tmp_path / "all" / "height_0003.png"), float)
    assert np.abs(last - first["height"]).mean() > 0
    plain = tell("plain", {**SMALL, "story": MUD, "frames": 3})
    assert "maps" not in plain
    for name in ("frame_0001.png", "frame_0003.png", "story.webp"):  # looking changes nothing
        assert (tmp_path / "all" / name).read_bytes() == (tmp_path / "plain" / name).read_bytes()
    (tmp_path / "plain" / "normal_0001.png").write_bytes(b"the user's own")
    tell("plain", {**SMALL, "story": MUD, "frames": 2})
    assert (tmp_path / "plain" / "normal_0001.png").read_bytes() == b"the user's own"
    tell("all", {**SMALL, "story": MUD, "frames": 2, "maps": ["height"]})
    names = {path.name for path in (tmp_path / "all").glob("*_*.png")}
    assert names == {f"{kind}_{i:04}.png" for kind in ("frame", "height") for i in (1, 2)}


WISHES = {
    "guides": {"guides": [{"name": "other", "weight": 5.0}]},
    "lettering": {"anti_lettering": 10.0},
    "noise": {"noise_prompts": [{"seed": 3, "weight": 10.0}]},
    "weights": {"story": "0: red bricks | moss:5 | 100%: moss"},
}


@pytest.mark.parametrize("wish", WISHES.values(), ids=list(WISHES))
def test_what_else_is_wished_for_counts(tell, tmp_path, tiny_pack, monkeypatch, wish):
    """With a guide beside the pack's own, with and without what lies between two scenes."""
    other = ExtraClip("other", tiny_pack.judge, "x")
    monkeypatch.setattr(extra, "joined", lambda pack, _: replace(pack, extra=(other,)))
    plain = {**SMALL, "story": MUD, "frames": 3, "lr": 0.5, "start": "noise", "steps": 2}
    tell("plain", plain)
    tell("wish", {**plain, **wish})
    frames, changed = pixels(tmp_path / "plain"), pixels(tmp_path / "wish")
    assert all(np.abs(a - b).mean() > 0.5 for a, b in zip(frames, changed, strict=True))
    if "guides" in wish:
        assert "guides" in json.loads((tmp_path / "wish" / "story.json").read_text("utf-8"))


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
        (
            ["story", MUD, "--maps", "normal,rough"],
            "'maps' 2 must be one of 'normal', 'roughness', 'metallic'",
        ),
        (["story", MUD, "--guide", "x", "much", "1"], "'guides' 1 weight must be a number"),
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
    assert ", ".join(cli_vary.MAPS) + ", or all" in " ".join(text.split())
    assert get_args(story.Map) == cli_vary.MAPS


def test_options_become_settings(tmp_path):
    written = ["story", MUD, "--maps", "all", "--no-lettering", "0.2", "--guide", "starter", "1", "2"]
    options = cli.parser().parse_args([*written, "--noise-prompt", "3"])
    asked = {**cli_vary.story_params(options), **cli_guiding.settings_of(options)}
    settings, _ = story.resolve({**asked, "folder": str(tmp_path)})
    assert settings.maps == cli_vary.MAPS
    assert (settings.anti_lettering, settings.guides[0].every, settings.noise_prompts[0].seed) == (0.2, 2, 3)
