"""Downloads against a server of this machine's own: broken lines, wrong files, full disks, no network."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import huggingface_hub
import pytest

from engine.errors import Cancelled, CannotDownload, CannotWrite
from engine.models import download
from engine.models.download import RESERVE_BYTES, TRIES, fetch, free_bytes
from engine.models.offers import Remote
from tests.engine.models.fileserver import COMMIT, FileServer, Served, settle_hub

DATA = random.Random(0).randbytes(3 << 20)
OTHER = random.Random(1).randbytes(3 << 20)


def sha(data):
    return hashlib.sha256(data).hexdigest()


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


class Heard(list):
    """What a client hears; stops the download once so many bytes are there."""

    stop_at = None

    def __call__(self, phase, done, total):
        self.append((phase, done, total))
        if self.stop_at is not None and done >= self.stop_at:
            raise Cancelled("Cancelled.")


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


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def requests(server):
    return [asked for method, _, asked in server.asked if method == "GET"]


# --- HTTP ----------------------------------------------------------------------------------------


def test_a_file_comes_whole_and_its_progress_is_told(server, get):
    server.files["/w.bin"] = Served(DATA)
    heard = Heard()
    path = get(sha256=sha(DATA), heard=heard)
    assert path.read_bytes() == DATA
    assert names(get.folder) == ["w.bin"]
    assert heard[0] == ("download", 0, len(DATA)) and heard[-1] == ("download", len(DATA), len(DATA))
    assert [done for _, done, _ in heard] == sorted(done for _, done, _ in heard)


def test_what_is_there_and_right_is_not_fetched_again(server, get):
    server.files["/w.bin"] = Served(DATA)
    get(sha256=sha(DATA))
    server.files.clear()
    assert get(sha256=sha(DATA)).read_bytes() == DATA


def test_a_line_that_breaks_is_taken_up_where_it_broke(server, get):
    server.files["/w.bin"] = Served(DATA, cuts=[1 << 20, 100, 1 << 19])
    heard = Heard()
    assert get(sha256=sha(DATA), heard=heard).read_bytes() == DATA
    at = [0, 1 << 20, (1 << 20) + 100, (1 << 20) + 100 + (1 << 19)]
    assert requests(server) == [None, *(f"bytes={n}-" for n in at[1:])]
    assert {total for _, _, total in heard} == {len(DATA)}


def test_a_cancelled_download_goes_on_in_the_next_call(server, get):
    server.files["/w.bin"] = Served(DATA)
    heard = Heard()
    heard.stop_at = 1 << 20
    with pytest.raises(Cancelled):
        get(sha256=sha(DATA), heard=heard)
    kept = (get.folder / "w.bin.part").stat().st_size
    assert 0 < kept < len(DATA)
    server.asked.clear()
    assert get(sha256=sha(DATA)).read_bytes() == DATA
    assert requests(server) == [f"bytes={kept}-"]


def test_a_part_of_an_older_file_is_thrown_away(server, get):
    """Two halves of two files would be neither."""
    server.files["/w.bin"] = Served(OTHER, cuts=[1 << 20, 0, 0, 0, 0])
    with pytest.raises(CannotDownload):
        get()
    server.files["/w.bin"] = Served(DATA)
    assert get().read_bytes() == DATA


@pytest.mark.parametrize("junk", [10, len(DATA) + 10], ids=["shorter", "longer than the file"])
def test_a_part_that_nobody_vouches_for_is_thrown_away(server, get, junk):
    server.files["/w.bin"] = Served(DATA)
    (get.folder / "w.bin.part").write_bytes(bytes(junk))
    assert get(sha256=sha(DATA)).read_bytes() == DATA


def test_a_part_longer_than_the_file_begins_anew(server, get):
    server.files["/w.bin"] = Served(DATA)
    (get.folder / "w.bin.part").write_bytes(bytes(len(DATA) + 5))
    (get.folder / "w.bin.part.etag").write_text(f'"{sha(DATA)}"')
    assert get(sha256=sha(DATA)).read_bytes() == DATA


def test_a_server_without_ranges_begins_anew(server, get):
    server.files["/w.bin"] = Served(DATA, cuts=[1 << 20], ranges=False)
    assert get(sha256=sha(DATA)).read_bytes() == DATA


def test_a_wrong_hash_leaves_nothing(server, get):
    server.files["/w.bin"] = Served(OTHER)
    with pytest.raises(CannotDownload, match=r"another file than the catalogue promises") as error:
        get(sha256=sha(DATA))
    assert names(get.folder) == []
    assert server.url in error.value.details


def test_a_dead_line_ends_after_a_few_tries_and_keeps_what_came(server, get):
    server.files["/w.bin"] = Served(DATA, cuts=[1 << 20] + [0] * 20)
    with pytest.raises(CannotDownload, match=r"Check the network and run this again: it goes on where"):
        get()
    assert len(requests(server)) == 1 + TRIES
    assert (get.folder / "w.bin.part").stat().st_size == 1 << 20


def test_no_network(get):
    """The discard port of this machine: nobody listens, as without a network."""
    with pytest.raises(
        CannotDownload, match=r"w\.bin cannot be fetched from 127\.0\.0\.1\. Check the network"
    ):
        get(url="http://127.0.0.1:9/w.bin")
    with pytest.raises(CannotDownload, match=r"cannot be fetched from nowhere\.invalid"):
        get(url="http://nowhere.invalid/w.bin")
    assert names(get.folder) == []


@pytest.mark.parametrize(("status", "tries"), [(404, 1), (403, 1), (503, TRIES)])
def test_what_the_server_refuses(server, get, status, tries):
    server.files["/w.bin"] = Served(DATA, status=status)
    with pytest.raises(CannotDownload, match=r"404|403|cannot be fetched"):
        get()
    assert len(requests(server)) == tries


def test_a_web_page_is_no_file(server, get):
    """What dead links of this field answer with: users found HTML in their checkpoints."""
    server.files["/w.bin"] = Served(b"<html>gone</html>", content_type="text/html")
    with pytest.raises(CannotDownload, match="web page instead"):
        get()
    assert names(get.folder) == []


def test_redirects_lead_to_the_web_only(server, get, tmp_path):
    server.files["/w.bin"] = Served(b"", location=f"{server.url}/moved")
    server.files["/moved"] = Served(DATA)
    assert get().read_bytes() == DATA
    (get.folder / "w.bin").unlink()
    (tmp_path / "secret").write_text("secret")
    server.files["/w.bin"] = Served(b"", location=f"file://{tmp_path}/secret")
    with pytest.raises(CannotDownload):
        get()
    assert not (get.folder / "w.bin").exists()


def test_a_full_disk_is_told_before_anything_is_written(server, get):
    server.files["/w.bin"] = Served(DATA)
    with pytest.raises(CannotWrite, match=r"This takes 3 MB, and .* has room for 1 MB\. Free some space"):
        get(free=lambda _: RESERVE_BYTES + (1 << 20))
    assert names(get.folder) == []
    get(free=lambda _: RESERVE_BYTES + len(DATA))


def test_room_for_the_rest_is_enough(server, get):
    server.files["/w.bin"] = Served(DATA, cuts=[2 << 20, 0, 0, 0, 0])
    with pytest.raises(CannotDownload):
        get()
    assert get(free=lambda _: RESERVE_BYTES + (1 << 20)).read_bytes() == DATA


def test_the_disk_that_fills_up_meanwhile(server, get, monkeypatch):
    """/dev/full takes no byte, whatever was promised."""
    server.files["/w.bin"] = Served(DATA)
    real = Path.open

    def open_full(path, *mode, **kind):
        return real(Path("/dev/full") if path.suffix == ".part" else path, *mode, **kind)

    monkeypatch.setattr(Path, "open", open_full)
    with pytest.raises(CannotWrite, match="is full"):
        get()


@pytest.mark.parametrize("name", ["w.bin", "w.bin.part"])
def test_links_in_the_way_are_not_followed(server, get, tmp_path, name):
    server.files["/w.bin"] = Served(DATA)
    (tmp_path / "mine").write_text("mine")
    (get.folder / name).symlink_to(tmp_path / "mine")
    with pytest.raises(CannotWrite, match="is a link"):
        get()
    assert (tmp_path / "mine").read_text() == "mine"


@pytest.mark.parametrize("name", ["../w.bin", "a/b", "..", "a\\b", "C:x"])
def test_names_that_lead_elsewhere_are_no_names(name):
    with pytest.raises(ValueError, match="no plain file name"):
        Remote(name=name, url="http://x/y", about_bytes=1)


def test_only_the_web_is_a_place():
    with pytest.raises(ValueError, match="pattern"):
        Remote(name="x", url="file:///etc/passwd", about_bytes=1)
    with pytest.raises(ValueError, match="hub or from a URL"):
        Remote(name="x", about_bytes=1)


# --- The hub -------------------------------------------------------------------------------------


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
