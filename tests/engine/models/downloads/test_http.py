"""Downloads from the web: broken lines, wrong files, full disks, no network."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import Cancelled, CannotDownload, CannotWrite
from engine.models.download import RESERVE_BYTES, TRIES
from engine.models.offers import Remote
from tests.engine.models.downloads.wire import DATA, OTHER, Heard, names, requests, sha
from tests.engine.models.fileserver import Served


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
