"""Downloads from the hub, which go on where they were cut off and are compared with its hashes."""

from __future__ import annotations

from pathlib import Path

import huggingface_hub
import pytest

from engine.errors import Cancelled, CannotDownload, CannotWrite
from engine.models import download
from engine.models.download import RESERVE_BYTES
from tests.engine.models.downloads.wire import DATA, OTHER, Heard, names, requests, sha
from tests.engine.models.fileserver import COMMIT, Served, settle_hub

HUB = {"url": None, "hub": "owner/repo"}


def test_the_hub_gives_a_file_and_its_hash_is_compared(hub, get):
    hub.files["/owner/repo/w.bin"] = Served(DATA)
    heard = Heard()
    assert get(**HUB, heard=heard).read_bytes() == DATA
    assert names(get.folder) == ["w.bin"]
    assert heard[-1][1:] == (len(DATA), len(DATA))


def test_the_hub_states_a_hash_that_the_file_does_not_have(hub, get):
    hub.files["/owner/repo/w.bin"] = Served(DATA, etag=f'"{sha(OTHER)}"')
    with pytest.raises(CannotDownload, match="another file than promised"):
        get(**HUB)
    assert names(get.folder) == []


def test_the_catalogue_states_another_hash_than_the_hub(hub, get):
    hub.files["/owner/repo/w.bin"] = Served(DATA)
    with pytest.raises(CannotDownload, match="catalogue promises"):
        get(**HUB, sha256=sha(OTHER))


def test_a_line_of_the_hub_that_breaks_is_taken_up(hub, get, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "DOWNLOAD_CHUNK_SIZE", 1 << 18)
    hub.files["/owner/repo/w.bin"] = Served(DATA, cuts=[1 << 20])
    assert get(**HUB).read_bytes() == DATA
    assert any((asked or "").startswith("bytes=") for asked in requests(hub))


def test_a_hub_download_is_cancelled_from_within(hub, get):
    hub.files["/owner/repo/w.bin"] = Served(DATA)
    heard = Heard()
    heard.stop_at = 1
    with pytest.raises(Cancelled):
        get(**HUB, heard=heard)
    assert names(get.folder) == []


@pytest.fixture
def small_pieces(monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "DOWNLOAD_CHUNK_SIZE", 1 << 18)


def cancelled(get):
    """What is kept of a hub's file whose download was cancelled in the middle, bytes."""
    heard = Heard()
    heard.stop_at = 1 << 20
    with pytest.raises(Cancelled):
        get(**HUB, heard=heard)
    kept = (get.folder / "w.bin.part").stat().st_size
    assert 0 < kept < len(DATA)
    return kept


@pytest.mark.usefixtures("small_pieces")
def test_a_hub_download_goes_on_in_the_next_call(hub, get):
    hub.files["/owner/repo/w.bin"] = Served(DATA)
    kept = cancelled(get)
    hub.asked.clear()
    heard = Heard()
    path = get(**HUB, sha256=sha(DATA), heard=heard)
    assert path.read_bytes() == DATA
    assert requests(hub) == [f"bytes={kept}-"]
    assert heard[0][1] > kept and heard[-1] == ("download", len(DATA), len(DATA))
    assert names(get.folder) == ["w.bin"]


@pytest.mark.usefixtures("small_pieces")
def test_a_dead_line_of_the_hub_keeps_what_came(hub, get):
    hub.files["/owner/repo/w.bin"] = Served(DATA, cuts=[1 << 20] + [0] * 20)
    with pytest.raises(CannotDownload, match=r"run this again: it goes on where it was cut off"):
        get(**HUB)
    assert (get.folder / "w.bin.part").stat().st_size == 1 << 20
    hub.files["/owner/repo/w.bin"].cuts.clear()
    hub.asked.clear()
    assert get(**HUB).read_bytes() == DATA
    assert requests(hub) == [f"bytes={1 << 20}-"]


@pytest.mark.usefixtures("small_pieces")
def test_a_damaged_rest_from_the_hub_is_found_by_its_hash_and_fetched_anew(hub, get):
    hub.files["/owner/repo/w.bin"] = Served(DATA)
    kept = cancelled(get)
    (get.folder / "w.bin.part").write_bytes(bytes(kept))
    hub.asked.clear()
    assert get(**HUB).read_bytes() == DATA
    assert requests(hub) == [f"bytes={kept}-", None]


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("change", ["another file now", "no validator", "longer than the file"])
def test_a_rest_that_is_not_of_the_hubs_file_begins_anew(hub, get, change):
    hub.files["/owner/repo/w.bin"] = Served(DATA)
    cancelled(get)
    if change == "another file now":
        hub.files["/owner/repo/w.bin"] = Served(OTHER)
    elif change == "no validator":
        (get.folder / "w.bin.part.etag").unlink()
    else:
        (get.folder / "w.bin.part").write_bytes(bytes(len(DATA) + 1))
    hub.asked.clear()
    assert get(**HUB).read_bytes() == hub.files["/owner/repo/w.bin"].data
    assert requests(hub) == [None]


@pytest.mark.usefixtures("small_pieces")
def test_a_rest_of_an_older_file_never_lies_beside_the_validator_of_the_new_one(hub, get, monkeypatch):
    """Whoever is cut off between the two would go on with one half of each."""
    hub.files["/owner/repo/w.bin"] = Served(DATA)
    cancelled(get)
    hub.files["/owner/repo/w.bin"] = Served(OTHER)
    part, real, beside = get.folder / "w.bin.part", Path.write_text, []

    def written(path, *text, **kind):
        beside.append(part.exists())
        return real(path, *text, **kind)

    monkeypatch.setattr(Path, "write_text", written)
    assert get(**HUB).read_bytes() == OTHER
    assert beside == [False]


@pytest.mark.usefixtures("small_pieces")
def test_a_file_that_went_on_is_hashed_once(hub, get, monkeypatch):
    hub.files["/owner/repo/w.bin"] = Served(DATA)
    cancelled(get)
    hashed, real = [], download.sha256
    monkeypatch.setattr(download, "sha256", lambda path: hashed.append(path.name) or real(path))
    assert get(**HUB, sha256=sha(DATA)).read_bytes() == DATA
    assert hashed == ["w.bin.part"]


@pytest.mark.usefixtures("small_pieces")
def test_a_hub_without_ranges_begins_anew(hub, get):
    hub.files["/owner/repo/w.bin"] = Served(DATA)
    cancelled(get)
    hub.files["/owner/repo/w.bin"].ranges = False
    heard = Heard()
    assert get(**HUB, heard=heard).read_bytes() == DATA
    assert heard[-1] == ("download", len(DATA), len(DATA))


@pytest.mark.usefixtures("small_pieces")
def test_a_hubs_rest_that_is_a_link_is_not_followed(hub, get, tmp_path):
    hub.files["/owner/repo/w.bin"] = Served(DATA)
    (tmp_path / "mine").write_text("mine")
    (get.folder / "w.bin.part").symlink_to(tmp_path / "mine")
    with pytest.raises(CannotWrite, match="is a link"):
        get(**HUB)
    assert (tmp_path / "mine").read_text() == "mine"


def test_a_file_below_a_folder_of_the_repository(hub, get):
    hub.files["/owner/repo/vqvae/config.json"] = Served(b"{}")
    assert get(**HUB, path="vqvae/config.json").read_bytes() == b"{}"


def test_what_the_hub_does_not_have(hub, get):
    with pytest.raises(CannotDownload, match=r"not to be had from the hub's owner/repo"):
        get(**HUB)


def test_no_hub(get, monkeypatch, tmp_path):
    settle_hub(monkeypatch, "http://127.0.0.1:9", tmp_path / "cache")
    with pytest.raises(CannotDownload, match="the hub cannot be reached"):
        get(**HUB)


def test_a_full_disk_before_the_hub_sends_anything(hub, get):
    hub.files["/owner/repo/w.bin"] = Served(DATA)
    with pytest.raises(CannotWrite, match="has room for"):
        get(**HUB, free=lambda _: RESERVE_BYTES)
    assert requests(hub) == []


def test_what_the_cache_of_the_hub_has_needs_no_network(hub, get, monkeypatch):
    """Another program fetched it: no byte comes again, and offline mode is no hindrance."""
    hub.files["/owner/repo/w.bin"] = Served(DATA)
    huggingface_hub.hf_hub_download("owner/repo", "w.bin")
    hub.files.clear()
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    assert get(**HUB).read_bytes() == DATA


def test_offline_mode_asks_nobody(hub, get, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    for place in (HUB, {}):
        with pytest.raises(CannotDownload, match="HF_HUB_OFFLINE"):
            get(**place)
    assert hub.asked == []
    assert len(COMMIT) == 40
