"""Manifests that somebody wrote by hand lead nowhere else."""

from __future__ import annotations

import json

import pytest

from engine.errors import BadWeights
from engine.models import install, packs
from tests.engine.models.tiny import CPU, deaf


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
