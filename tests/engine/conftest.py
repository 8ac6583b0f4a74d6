"""A whole pack with small random networks: see pack_files.

Nothing heavy is imported before a fixture is asked for: pytest reads this file in the process, too, that only
hands out tests to others, and lets those wait for it.
"""

from __future__ import annotations

import shutil

import pytest


@pytest.fixture(scope="session")
def stream_prior():
    """Of the other kind than the prior of "tiny", for its codes."""
    import torch

    from engine.models.stream import StreamPrior
    from tests.engine.pack_files import STREAM

    torch.manual_seed(4)
    return StreamPrior(STREAM).eval().requires_grad_(False)


@pytest.fixture(scope="session", autouse=True)
def _no_packs_of_the_user(tmp_path_factory):
    """Tests see what ships and what they make, not what somebody has on this machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATINA_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="session")
def tiny_files(tmp_path_factory):
    """A folder with the pack "tiny", to copy or to load."""
    from tests.engine.pack_files import write_pack

    root = tmp_path_factory.mktemp("tiny")
    write_pack(root)
    return root


@pytest.fixture
def pack_root(tiny_files, tmp_path, monkeypatch):
    """A folder with the pack "tiny", which the catalogue then consists of."""
    from engine.models import offers, packs

    root = shutil.copytree(tiny_files, tmp_path / "packs")
    monkeypatch.setattr(packs, "ROOT", root)
    monkeypatch.setattr(packs, "CATALOGUE", root / "catalog")
    monkeypatch.setattr(offers, "FOLDER", root / "catalog" / "offers")
    packs.entries.cache_clear()
    offers.entries.cache_clear()
    yield root
    packs.entries.cache_clear()
    offers.entries.cache_clear()


@pytest.fixture(scope="session")
def tiny_pack(tiny_files):
    """The pack "tiny", loaded."""
    from engine.models import packs
    from tests.engine.pack_files import CPU

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packs, "ROOT", tiny_files)
        patch.setattr(packs, "CATALOGUE", tiny_files / "catalog")
        packs.entries.cache_clear()
        loaded = packs.load("tiny", CPU)
    packs.entries.cache_clear()
    return loaded
