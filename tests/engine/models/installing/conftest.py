"""The user's own folder, and a server of a pack to be had."""

from __future__ import annotations

import pytest

from tests.engine.models import tiny


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


@pytest.fixture
def known_clip(monkeypatch):
    tiny.teach_open_clip(monkeypatch)
