"""Variations, a way and a story, for real: the starter pack, a served engine. Small and short, on the CPU."""

from __future__ import annotations

import json

import pytest
from PIL import Image

SMALL = {"width": 128, "height": 128, "steps": 1, "seed": 3, "device": "cpu", "judge_views": 4}


@pytest.fixture(scope="module")
def made(served, tmp_path_factory):
    """A result of the starter: its sidecar."""
    folder = tmp_path_factory.mktemp("mud")
    served.send("generate", {**SMALL, "prompt": "dry mud", "variations": 1, "folder": str(folder)}, "mud")
    result = served.answer("mud", timeout_s=300)["result"]
    return folder / result["variations"][0]["sidecar"]


def asked(client, method, params, folder):
    """The answer to a small request; stories are not ranked, so they take nothing about that."""
    small = {name: value for name, value in SMALL.items() if (method, name) != ("story", "judge_views")}
    client.send(method, {**small, **params, "folder": str(folder)}, str(folder))
    return client.answer(str(folder), timeout_s=300)


def test_the_handshake_names_them(served):
    assert {"vary", "interpolate", "story"} <= set(served.hello["methods"])


def test_dry_mud_becomes_wet_in_its_own_layout(served, made, tmp_path):
    params = {"result": str(made), "strength": 0.0, "variations": 1}
    params["difference"] = {"from": "dry", "to": "wet"}
    (wet,) = asked(served, "vary", params, tmp_path)["result"]["variations"]
    assert ", draw 3: wet " in wet["origin"]
    assert wet["origin"].endswith("cracked mud")


def test_a_way_has_its_strip_and_a_story_its_frames(served, made, tmp_path):
    ends = {"from": str(made), "to": str(made), "count": 2}
    way = asked(served, "interpolate", ends, tmp_path / "way")["result"]
    with Image.open(tmp_path / "way" / way["strip"]) as strip:
        assert strip.size == (256, 128)
    told = asked(served, "story", {"story": "0: dry mud | 9: wet mud", "frames": 3}, tmp_path / "story")[
        "result"
    ]
    assert told["frames"] == ["frame_0001.png", "frame_0002.png", "frame_0003.png"]
    assert json.loads((tmp_path / "story" / "story.json").read_text("utf-8"))["complete"] is True
    first, last = (Image.open(tmp_path / "story" / told["frames"][i]).convert("L") for i in (0, -1))
    mean = lambda picture: sum(picture.tobytes()) / len(picture.tobytes())
    assert mean(last) < 0.9 * mean(first), "wet is darker"


def test_what_is_wrong_is_answered_by_its_field(served, tmp_path):
    for method, params, field in (
        ("vary", {}, "result"),
        ("interpolate", {"from": "/a.json"}, "to"),
        ("story", {"story": "mud"}, "story"),
    ):
        assert asked(served, method, params, tmp_path / method)["error"]["data"]["field"] == field
