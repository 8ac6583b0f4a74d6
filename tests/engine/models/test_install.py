"""Packs come and go: whole or not at all, in the user's own folder, from the first source that works."""

from __future__ import annotations

import json

import open_clip
import pytest
import torch
from safetensors.torch import save_file

from engine import home
from engine.compute import Compute
from engine.errors import BadWeights, Cancelled, CannotDownload, CannotWrite, InvalidRequest, UnknownPack
from engine.models import clips, extra, install, offers, packs
from engine.models.guide import Clip
from engine.settings import RunSettings
from tests.engine import runs
from tests.engine.models import tiny
from tests.engine.models.checkpoints import published
from tests.engine.models.fileserver import FileServer, Served, settle_hub

CPU = Compute(torch.device("cpu"), torch.float32)


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The user's own folder."""
    monkeypatch.setenv("PATINA_HOME", str(tmp_path / "home"))
    tiny.forget()
    yield tmp_path / "home"
    tiny.forget()


@pytest.fixture
def server(pack_root, own, tmp_path, monkeypatch):
    """Serves what the offer "toy" wants. "tiny" ships."""
    with tiny.serving(tmp_path, monkeypatch) as server:
        yield server


def deaf(*_):
    pass


def tree(folder):
    return sorted(
        str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file() and p.suffix != ".lock"
    )


PACK = [
    "packs/toy/generator/config.json",
    "packs/toy/generator/model.safetensors",
    "packs/toy/guide/open_clip_config.json",
    "packs/toy/guide/open_clip_model.safetensors",
    "packs/toy/judge/open_clip_config.json",
    "packs/toy/judge/open_clip_model.safetensors",
    "packs/toy/pack.json",
]


# --- Download ------------------------------------------------------------------------------------


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


# --- Add -----------------------------------------------------------------------------------------


def test_a_checkpoint_of_the_users_becomes_a_pack(server, own, tmp_path):
    info = install.add("mine", tmp_path / "x.ckpt", None, "tiny", "tiny", deaf)
    assert "256 of 256 codes" in info.description and not info.generator.verified
    assert packs.load("mine", CPU).hashes["guide"]
    assert all(error is None for _, error in install.verify("mine"))


def test_open_clips_names_as_guide_and_a_folder_as_judge(server, own, tmp_path, monkeypatch):
    settle_hub(monkeypatch, server.url, tmp_path / "cache")
    pickled = tiny.old_pickle(open_clip.CLIP(**tiny.CLIP).state_dict())
    server.files["/laion/tiny-clip/open_clip_pytorch_model.bin"] = Served(pickled)
    folder = tmp_path / "judge"
    clips.write(folder, clips.config_of("tiny-clip", "quick"), write(tmp_path / "c.safetensors"))
    info = install.add("mine", tmp_path / "x.ckpt", None, "tiny-clip:quick", str(folder), deaf)
    assert info.guide.origin == "hub:laion/tiny-clip/open_clip_pytorch_model.bin@main"  # no safetensors there
    assert info.judge.origin == str(folder)


def test_clips_and_the_estimator_of_maps_are_the_starters_by_default(own, tmp_path):
    """So that a picture's VQGAN makes materials at once, without a network."""
    _, _, state = published.parity("vqgan_small")
    published.write_ckpt(tmp_path / "x.ckpt", state)
    starter = packs.entries()["starter"]
    info = install.add("mine", tmp_path / "x.ckpt", None, "starter", "starter", deaf)
    assert info.estimator.sha256 == starter.estimator.sha256
    pack = packs.load("mine", CPU)
    assert pack.estimator is not None and pack.guide.known is not None
    assert all(error is None for _, error in install.verify("mine"))


def write(path):
    path.write_bytes(tiny.clip_weights())
    return path


@pytest.fixture
def known_clip(monkeypatch):
    tiny.teach_open_clip(monkeypatch)


@pytest.mark.usefixtures("known_clip")
def test_the_starters_generator_with_a_checkpoint_as_guide_begins_from_its_materials(own, tmp_path):
    """Their keys are in the space of the guide that was: they are named anew in that of the new one."""
    file = write(tmp_path / "c.safetensors")
    starter = packs.entries()["starter"]
    info = install.add("mine", None, None, f"tiny-clip:{file}", "starter", deaf)
    assert info.channels == starter.channels and info.prior is None
    assert info.generator.sha256 == starter.generator.sha256 and info.judge.origin == "pack:starter"
    assert info.guide.origin == str(file)
    assert "guided by tiny-clip:c.safetensors, judged by starter" in info.description
    pack, before = packs.load("mine", CPU), packs.read_exemplars(starter.exemplars)
    assert pack.exemplars.names == before.names
    assert pack.exemplars.keys.shape == (len(before.names), tiny.CLIP["embed_dim"])
    name = before.names[3]
    found, _ = pack.exemplars.near(pack.guide.encode_text([name])[0], 5)
    assert name in [before.names[i] for i in found]
    assert all(error is None for _, error in install.verify("mine"))


@pytest.mark.usefixtures("known_clip")
def test_the_starters_with_another_judge_is_otherwise_the_starter(own, tmp_path, monkeypatch):
    server = FileServer()
    settle_hub(monkeypatch, server.url, tmp_path / "cache")
    server.files["/laion/tiny-clip/open_clip_model.safetensors"] = Served(tiny.clip_weights())
    try:
        info = install.add("mine", None, None, "starter", "tiny-clip:quick", deaf)
    finally:
        server.close()
    starter = packs.entries()["starter"]
    for role in ("generator", "prior", "exemplars", "estimator"):
        assert info.files()[role].sha256 == starter.files()[role].sha256, role
    assert packs.load("mine", CPU).judge.size_px == tiny.CLIP["vision_cfg"]["image_size"]
    assert extra.load("tiny-clip:quick", CPU).sha256 == info.judge.sha256  # so --guide finds it, too
    extra.load.cache_clear()


def test_a_configuration_without_a_generator_is_none(own, tmp_path):
    with pytest.raises(InvalidRequest, match="none was named") as error:
        install.add("mine", None, tmp_path / "x.yaml", "starter", "starter", deaf)
    assert error.value.field == "config"


@pytest.mark.usefixtures("server")
def test_without_the_starter_a_generator_must_be_named(own):
    with pytest.raises(UnknownPack, match="no other generator was named"):
        install.add("mine", None, None, "tiny", "tiny", deaf)
    assert not list((own / "packs").glob("*"))


def test_a_folder_of_diffusers(server, own, tmp_path):
    (tmp_path / "vqvae").mkdir()
    save_file(
        published.fill(published.diffusers_shapes()), tmp_path / "vqvae/diffusion_pytorch_model.safetensors"
    )
    config = {"block_out_channels": [32, 64], "num_vq_embeddings": 41}
    (tmp_path / "vqvae/config.json").write_text(json.dumps(config))
    with pytest.raises(BadWeights, match="'n_embed' is 40"):  # so it was found and read
        install.add("mine", tmp_path / "vqvae", None, "tiny", "tiny", deaf)
    (tmp_path / "vqvae/config.json").write_text(json.dumps({**config, "num_vq_embeddings": 40}))
    install.add("mine", tmp_path / "vqvae", None, "tiny", "tiny", deaf)


@pytest.mark.parametrize(
    ("pack", "guide", "field", "said"),
    [
        ("../evil", "tiny", "name", "no name for a pack"),
        ("Mine", "tiny", "name", "small letters"),
        ("tiny", "tiny", "name", "already"),
        ("toy", "tiny", "name", "already"),
        ("mine", "no-such", "guide", "knows no model 'no-such'"),
        ("mine", "tiny-clip:huge", "guide", "comes as quick"),
        ("mine", f"tiny-clop:{__file__}", "guide", "Did you mean 'tiny-clip'"),
        ("mine", "ViT-B-16-SigLIP:webli", "guide", "transformers"),
    ],
)
def test_what_cannot_be_added(server, own, tmp_path, pack, guide, field, said):
    with pytest.raises(InvalidRequest, match=said) as error:
        install.add(pack, tmp_path / "x.ckpt", None, guide, "tiny", deaf)
    assert error.value.field == field
    assert not list((own / "packs").glob("*"))


def test_no_such_file(server, tmp_path):
    with pytest.raises(InvalidRequest, match="There is no file"):
        install.add("mine", tmp_path / "none.ckpt", None, "tiny", "tiny", deaf)
    with pytest.raises(InvalidRequest, match="Choose the file itself"):
        install.add("mine", tmp_path / "packs", None, "tiny", "tiny", deaf)


# --- Remove and verify ---------------------------------------------------------------------------


def test_removing_frees_the_disk_and_the_name(server, own):
    install.download("toy", deaf)
    whole = sum(p.stat().st_size for p in (own / "packs" / "toy").rglob("*") if p.is_file())
    assert install.remove("toy") == whole
    assert "toy" not in packs.entries()
    assert tree(own) == []
    with pytest.raises(UnknownPack, match="was downloaded or added"):
        install.remove("toy")


@pytest.mark.parametrize("name", ["..", "../home", ".", "", "toy/../.."])
def test_names_remove_nothing_else(server, own, name):
    install.download("toy", deaf)
    with pytest.raises(UnknownPack):
        install.remove(name)
    assert tree(own) == PACK


def test_what_ships_stays(server):
    with pytest.raises(InvalidRequest, match="ships with Patina"):
        install.remove("tiny")


def test_removing_a_link_leaves_what_it_leads_to(server, own, tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_text("keep")
    (own / "packs").mkdir(parents=True)
    (own / "packs" / "toy").symlink_to(tmp_path / "precious")
    with pytest.raises(CannotWrite, match="is a link"):
        install.download("toy", deaf)
    install.remove("toy")
    assert (tmp_path / "precious" / "file").read_text() == "keep"
    assert not (own / "packs" / "toy").is_symlink()


def test_verifying_names_what_is_wrong(server, own):
    install.download("toy", deaf)
    path = own / "packs/toy/judge/open_clip_model.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    (own / "packs/toy/generator/model.safetensors").unlink()
    found = {role: None if error is None else error.message for role, error in install.verify("toy")}
    assert found["guide"] is None
    assert "damaged" in found["judge"] and "missing" in found["generator"]
    with pytest.raises(UnknownPack):
        list(install.verify("other"))


# --- Manifests that somebody wrote by hand --------------------------------------------------------


def spoil(own, **changes):
    path = own / "packs" / "toy" / "pack.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    packs.entries.cache_clear()


@pytest.mark.parametrize("path", ["../../../etc/passwd", "/etc/passwd", "C:\\x", "a\\..\\b", ""])
def test_a_manifest_that_leads_out_is_left_out_and_the_rest_works(server, own, path, caplog):
    install.download("toy", deaf)
    manifest = json.loads((own / "packs/toy/pack.json").read_text())
    spoil(own, generator={**manifest["generator"], "path": path})
    assert list(packs.entries()) == ["tiny"]
    assert "toy cannot be read and is left out" in caplog.text
    install.remove("toy")


def test_a_manifest_cannot_take_the_place_of_what_ships(server, own):
    install.download("toy", deaf)
    (own / "packs" / "toy").rename(own / "packs" / "tiny")
    manifest = own / "packs" / "tiny" / "pack.json"
    manifest.write_text(manifest.read_text().replace('"toy"', '"tiny"'))
    packs.entries.cache_clear()
    assert packs.entries()["tiny"].label == "Tiny"


@pytest.mark.parametrize("what", ["generator/model.safetensors", "generator"])
def test_links_in_a_pack_are_refused(server, own, tmp_path, what):
    install.download("toy", deaf)
    place = own / "packs/toy" / what
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BadWeights, match="is a link"):
        packs.load("toy", CPU)


# --- The catalogue, and the folder ---------------------------------------------------------------


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
    weights = str(write(tmp_path / "c.safetensors"))
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
