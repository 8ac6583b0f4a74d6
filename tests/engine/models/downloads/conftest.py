"""A server of this machine's own, also as the hub, and fetching from it."""

from __future__ import annotations

import pytest

from engine.models.download import fetch, free_bytes
from engine.models.offers import Remote
from tests.engine.models.downloads.wire import DATA, Heard
from tests.engine.models.fileserver import FileServer, settle_hub


@pytest.fixture
def server():
    server = FileServer()
    yield server
    server.close()


@pytest.fixture
def hub(server, tmp_path, monkeypatch):
    """The server as the hub, and a cache of this test's own."""
    settle_hub(monkeypatch, server.url, tmp_path / "cache")
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda _: None)
    return server


@pytest.fixture
def get(server, tmp_path):
    folder = tmp_path / "downloads"
    folder.mkdir()

    def get(*, heard=None, free=free_bytes, **remote):
        remote = {"name": "w.bin", "url": f"{server.url}/w.bin", "about_bytes": len(DATA), **remote}
        remote = {k: v for k, v in remote.items() if v is not None}
        return fetch(
            Remote(**remote), folder, Heard() if heard is None else heard, free=free, pause=lambda _: None
        )

    get.folder = folder
    return get
