"""The catalogue of packs to be had, and the folder that they come into."""

from __future__ import annotations

import open_clip
import pytest

from engine import home
from engine.models import clips, offers
from engine.models.guide import Clip
from tests.engine.models import tiny
from tests.engine.models.tiny import CPU, write_clip


def test_what_ships_as_offers_can_be_read_and_says_what_is_not_verified():
    offers.entries.cache_clear()
    found = offers.entries()
    assert {"classic", "classic-1024", "gumbel", "llamagen", "amused"} <= set(found)
    for offer in found.values():
        for role, part in offer.parts().items():
            for source in part.sources:
                assert source.licence and source.weights.about_bytes > 10_000_000, (offer.id, role)
                assert source.verified == (source.weights.sha256 is not None), (offer.id, role)
    assert len(found["classic"].generator.sources) >= 2
    assert found["classic"].guide.name != found["classic"].judge.name


@pytest.mark.parametrize("role", ["guide", "judge"])
def test_offers_name_the_places_that_open_clip_names(role):
    """And CLIPs whose tokenizer Patina has."""
    for offer in offers.entries().values():
        part = offer.parts()[role]
        clips.config_of(part.name, part.tag)
        theirs = [s.weights.where() for s in clips.sources_of(part.name, part.tag)]
        assert [s.weights.where() for s in part.sources] == theirs


def test_clips_on_one_host_say_why():
    """And do only as long as open_clip knows no other place."""
    for offer in offers.entries().values():
        for clip in (offer.guide, offer.judge):
            hosts = {"hub" if s.weights.hub else s.weights.url.split("/")[2] for s in clip.sources}
            assert (len(hosts) == 1) == bool(clip.one_host), (offer.id, clip.name)
            elsewhere = open_clip.get_pretrained_cfg(clip.name, clip.tag).get("url")
            assert not (clip.one_host and elsewhere), (offer.id, clip.name)


def test_the_tables_are_read_and_not_remembered():
    """Two that a constant would get wrong: an activation, and mean, std and interpolation."""
    assert clips.config_of("ViT-B-32", "openai")["model_cfg"]["quick_gelu"] is True
    assert clips.config_of("ViT-B-32", "laion2b_s34b_b79k")["model_cfg"]["quick_gelu"] is False
    mobile = clips.config_of("MobileCLIP-B", "datacompdr")["preprocess_cfg"]
    assert (mobile["mean"], mobile["std"], mobile["interpolation"]) == ((0, 0, 0), (1, 1, 1), "bilinear")


def test_a_name_with_a_tag_gets_the_tags_activation_in_the_loop_too(tmp_path, monkeypatch):
    tiny.teach_open_clip(monkeypatch)
    table = open_clip.pretrained._PRETRAINED["tiny-clip"]["quick"]
    weights = str(write_clip(tmp_path / "c.safetensors"))
    monkeypatch.setattr(open_clip.factory, "download_pretrained", lambda *_, **__: weights)
    clip = Clip("tiny-clip", CPU, "quick")
    assert isinstance(clip.model.visual.transformer.resblocks[0].mlp.gelu, open_clip.model.QuickGELU)
    assert clip._mean.flatten().tolist() == pytest.approx(table["mean"])


@pytest.mark.parametrize(
    ("environ", "platform", "wanted"),
    [
        ({"PATINA_HOME": "/somewhere"}, "linux", "/somewhere"),
        ({"XDG_DATA_HOME": "/data"}, "linux", "/data/patina"),
        ({}, "linux", "/home/me/.local/share/patina"),
        ({}, "darwin", "/home/me/Library/Application Support/Patina"),
        ({"LOCALAPPDATA": "/local"}, "win32", "/local/Patina"),
        ({"PATINA_HOME": "~/p"}, "darwin", "/home/me/p"),
    ],
)
def test_the_users_own_folder(monkeypatch, environ, platform, wanted):
    monkeypatch.setenv("HOME", "/home/me")
    assert home.folder(environ, platform).as_posix() == wanted
