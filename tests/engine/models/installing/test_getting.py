"""Packs come whole or not at all, into the user's own folder, from the first source that works."""

from __future__ import annotations

import open_clip
import pytest
import torch

from engine.errors import Cancelled, CannotDownload, CannotWrite, UnknownPack
from engine.models import install, packs
from engine.settings import RunSettings
from tests.engine import runs
from tests.engine.models import tiny
from tests.engine.models.fileserver import Served
from tests.engine.models.tiny import CPU, PACK, deaf, tree


def test_a_pack_is_offered_downloaded_and_makes_pictures(server, own, tmp_path):
    assert [(p["id"], p["installed"]) for p in packs.catalogue()] == [("tiny", True), ("toy", False)]
    with pytest.raises(UnknownPack, match="models download toy"):
        packs.load("toy", CPU)
    heard = []
    install.download("toy", lambda *news: heard.append(news))
    assert {phase for phase, _, _ in heard} == {"download", "convert"}
    assert tree(own) == PACK
    assert [(p["id"], p["installed"], p["verified"]) for p in packs.catalogue()] == [
        ("toy", True, False),
        ("tiny", True, True),
    ]
    pack = packs.load("toy", CPU)
    assert pack.channels == ("red", "green", "blue")
    settings = RunSettings(prompt="moss", pack="toy", seed=1, width=128, height=128, variations=1, steps=1,
                           cutouts=2, judge_views=1, proposals=1)  # fmt: skip
    done = runs.make(settings, tmp_path / "made", pack)
    assert (tmp_path / "made" / done["variations"][0]["files"]["basecolor"]).is_file()


def test_mean_std_resize_and_activation_are_open_clips(server, own):
    install.download("toy", deaf)
    guide = packs.load("toy", CPU).guide
    assert guide._mean.flatten().tolist() == pytest.approx(tiny.ABOUT["mean"])
    assert guide._std.flatten().tolist() == pytest.approx(tiny.ABOUT["std"])
    assert (guide.resize_mode, guide.size_px) == ("squash", 32)
    assert isinstance(guide.model.visual.transformer.resblocks[0].mlp.gelu, open_clip.model.QuickGELU)


def test_the_next_source_is_taken_where_one_fails(server, own, tmp_path, monkeypatch):
    """Not there; a web page; not the promised hash; no VQGAN at all; then a good one."""
    server.files["/page.ckpt"] = Served(b"<html>moved</html>", content_type="text/html")
    server.files["/other.ckpt"] = Served(b"another file")
    server.files["/wrong.ckpt"] = Served(tiny.old_pickle({"state_dict": {"a": torch.ones(99)}}))
    names = ["gone.ckpt", "page.ckpt", "wrong.ckpt"]
    sources = [tiny.source(server, name) for name in names]
    sources.append(tiny.source(server, "other.ckpt", sha256=tiny.sha(b"promised")))
    good = tiny.source(server, "x.ckpt", "x.yaml", sha256=tiny.sha(server.files["/x.ckpt"].data))
    sources.append({**good, "verified": True})
    tiny.write_offer(server, tmp_path, monkeypatch, generator={"sources": sources})
    file = install.download("toy", deaf).generator
    assert file.origin == f"{server.url}/x.ckpt" and file.verified
    tiny.write_offer(server, tmp_path, monkeypatch, pack_id="hopeless", generator={"sources": sources[:-1]})
    with pytest.raises(CannotDownload, match=r"other\.ckpt is another file") as error:
        install.download("hopeless", deaf)
    assert all(name in error.value.details for name in [*names, "other.ckpt"])
    assert not (own / "packs" / "hopeless").exists()


def test_what_came_before_a_failure_is_not_fetched_again(server, own):
    clip = server.files.pop("/clip.safetensors")
    with pytest.raises(CannotDownload):
        install.download("toy", deaf)
    assert not (own / "packs" / "toy").exists()
    server.files["/clip.safetensors"] = clip
    server.asked.clear()
    install.download("toy", deaf)
    assert tree(own) == PACK


def test_cancelling_leaves_no_pack(server, own):
    def stop(phase, done, total):
        if phase == "convert":
            raise Cancelled("Cancelled.")

    with pytest.raises(Cancelled):
        install.download("toy", stop)
    assert [name for name in tree(own) if name.startswith("packs/")] == []
    install.download("toy", deaf)
    assert tree(own) == PACK


def test_a_clip_that_another_pack_has_is_copied(server, own, tmp_path, monkeypatch):
    install.download("toy", deaf)
    server.asked.clear()
    tiny.write_offer(server, tmp_path, monkeypatch, pack_id="toy2")
    install.download("toy2", deaf)
    assert "/clip.safetensors" not in {path for _, path, _ in server.asked}
    assert packs.load("toy2", CPU).hashes["guide"] == packs.load("toy", CPU).hashes["guide"]


def test_a_pack_that_is_there_is_not_fetched_and_a_broken_one_is(server, own):
    install.download("toy", deaf)
    server.asked.clear()
    install.download("toy", deaf)
    assert server.asked == []
    (own / "packs/toy/generator/model.safetensors").unlink()
    install.download("toy", deaf)
    assert tree(own) == PACK


def test_the_disk_is_asked_before_the_network(server, own):
    with pytest.raises(CannotWrite, match="PATINA_HOME"):
        install.download("toy", deaf, free=lambda _: 1000)
    assert server.asked == []


def test_a_home_that_cannot_be_written_to(server, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("PATINA_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(CannotWrite, match="cannot be written to"):
        install.download("toy", deaf, free=lambda _: 1 << 40)


def test_two_at_once(server, own):
    (own / "downloads").mkdir(parents=True)
    with install._alone(own / "downloads" / "toy"), pytest.raises(CannotWrite, match="Another Patina"):
        install.download("toy", deaf)


def test_unknown_offer(server):
    with pytest.raises(UnknownPack, match="There are: toy"):
        install.download("tiny2", deaf)
