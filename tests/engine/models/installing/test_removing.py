"""Packs go and are verified; what is not theirs stays."""

from __future__ import annotations

import pytest

from engine.errors import CannotWrite, InvalidRequest, UnknownPack
from engine.models import install, packs
from tests.engine.models.tiny import PACK, deaf, tree


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
