"""Results: tagged while they are made, in the index without being asked for, found by words and pictures."""

from __future__ import annotations

import json

import pytest
from PIL import Image

from engine.library import calibration, requests, thumbnails
from engine.library.eye import Eye
from engine.library.jobs import Libraries
from engine.library.results import Observer, enter
from engine.library.service import Library
from engine.library.store import Store, index_file
from engine.settings import RunSettings
from tests.engine import runs


@pytest.fixture
def make(tiny_pack, tmp_path):
    """Makes two small results in a folder of their own: summary, and what was seen."""

    def make(name="run", **more):
        asked = {"prompt": "red bricks", "pack": "tiny", "seed": 5, "width": 128, "height": 128, "steps": 1}
        settings = RunSettings(**{**asked, "variations": 2, **more})
        seen = {}
        folder = tmp_path / "results" / name
        summary = runs.make(settings, folder, tiny_pack, on_seen=seen.__setitem__)
        return folder, summary, seen

    return make


def test_summary_and_sidecar_say_what_is_on_a_result_as_tag_does(make, tiny_pack, tmp_path):
    """In memory the guide sees what it sees in the files, so both give the same words."""
    folder, summary, _ = make()
    library = Library(tiny_pack.guide, tmp_path / "library")
    for variation in summary["variations"]:
        sidecar = json.loads((folder / variation["sidecar"]).read_text("utf-8"))
        assert sidecar["tags"] == variation["tags"]
        assert {"material", "colour"} <= {tag["facet"] for tag in variation["tags"]}
        files = tuple(str(folder / name) for name in variation["files"].values())
        (file,) = library.tag(requests.Tag(files=files))["files"]
        assert [(t["facet"], t["label"]) for t in file["tags"]] == [
            (t["facet"], t["label"]) for t in variation["tags"]
        ]
        assert [t["confidence"] for t in file["tags"]] == pytest.approx(
            [t["confidence"] for t in variation["tags"]], abs=2e-4
        )
        assert file["badges"] == variation["badges"] == sidecar["badges"]


def test_tags_do_not_depend_on_neighbours_or_on_the_users_words(make, tiny_pack, monkeypatch, tmp_path):
    _, both, _ = make("both")
    monkeypatch.setenv("PATINA_HOME", str(tmp_path / "home"))
    (tmp_path / "home" / "library").mkdir(parents=True)
    (tmp_path / "home" / "library" / "words.json").write_text('{"words": ["haunted"]}')
    _, alone, _ = make("alone", variations=1)
    same = next(v for v in both["variations"] if v["seed"] == alone["variations"][0]["seed"])
    assert same["tags"] == alone["variations"][0]["tags"]


def test_results_are_entered_without_being_looked_at_again(make, tiny_pack, tmp_path, monkeypatch):
    folder, summary, seen = make()
    library = Library(tiny_pack.guide, tmp_path / "library")
    with Store(library.index_file) as store:
        monkeypatch.setattr(Eye, "look", lambda *_: pytest.fail("looked again"))
        assert enter(store, library.eye, tmp_path / "results", seen) == 2
    answer = library.contents(requests.Contents())
    assert (answer["textures"], answer["folders"]) == (2, [str(tmp_path / "results")])
    assert {found["files"]["basecolor"] for found in answer["results"]} == {str(path) for path in seen}
    assert all(set(found["files"]) >= {"normal", "height", "ao"} for found in answer["results"])
    for found in answer["results"]:
        with Image.open(found["thumbnail"]) as picture:
            assert picture.size == (thumbnails.SIDE_PX, thumbnails.SIDE_PX)
    report = library.index(requests.Index())
    assert (report["unchanged"], report["added"], report["removed"]) == (2, 0, 0)
    like = library.search(requests.Search(like=str(folder / summary["variations"][0]["files"]["basecolor"])))
    assert len(like["results"]) == 1


def test_words_of_the_user_are_asked_about_results_too(make, tiny_pack, tmp_path):
    _, _, seen = make()
    library = Library(tiny_pack.guide, tmp_path / "library")
    library.index(requests.Index(words=("haunted",)))
    with Store(library.index_file) as store:
        enter(store, library.eye, tmp_path / "results", seen)
        eye = Eye(tiny_pack.guide, library.folder, ("haunted",))
        assert eye.calibration == calibration.read(eye.model, calibration.SHIPPED)
        (id_, *_) = store.newest(1)
        before = store.known([id_])[0].tags
    library.index(requests.Index(words=("haunted", "cheerful")))  # tags all anew, from vectors
    library.index(requests.Index(words=("haunted",)))
    with Store(library.index_file) as store:
        after = store.known([id_])[0].tags
    assert [(t.facet, t.label) for t in before] == [(t.facet, t.label) for t in after]


def test_what_was_deleted_meanwhile_is_left_out(make, tiny_pack, tmp_path):
    folder, summary, seen = make()
    for name in summary["variations"][1]["files"].values():
        (folder / name).unlink()
    with Store(index_file(tmp_path / "library", "x")) as store:
        assert enter(store, Eye(tiny_pack.guide, tmp_path), tmp_path / "results", seen) == 1


def test_results_that_come_while_an_index_is_brought_up_to_date_stay(make, eye, tmp_path):
    """A run ends while folders are being looked at: the scan has not seen its files, and drops nothing."""
    from engine.library.index import update

    folder, _, _ = make("before")
    with Store(index_file(tmp_path / "library", eye.model)) as store:
        steps = update(store, [folder.parent], eye)
        next(steps)
        _, _, seen = make("meanwhile")
        enter(store, eye, folder.parent, seen)
        for _ in steps:
            pass
        assert len(store) == 4


def test_a_second_guide_is_seen_by_its_own_eye(make, tiny_pack):
    """One observer serves packs in turn."""
    _, _, seen = make(variations=1)
    (first,) = seen.values()
    observer = Observer()
    maps = _maps_of(first)
    one, two = observer.look(tiny_pack.guide, maps), observer.look(tiny_pack.judge, maps)
    again = observer.look(tiny_pack.guide, maps)
    assert one.facts() == again.facts()
    assert abs(one.look.vectors["albedo"] - two.look.vectors["albedo"]).max() > 1e-3


def _maps_of(seen):
    from engine.material.maps import DecodedMaps

    height = seen.loaded.height[None]
    flat = height.new_zeros(height.shape)
    return DecodedMaps(seen.loaded.picture[None], height, flat, flat, flat, flat.new_full((1,), 0.02))


def test_libraries_enter_into_the_users_own(make, tiny_pack, tmp_path, monkeypatch):
    monkeypatch.setenv("PATINA_HOME", str(tmp_path / "home"))
    _, _, seen = make()
    libraries = Libraries()
    assert libraries.enter(tiny_pack.guide, tmp_path / "results", seen) == 2
    asked = requests.Contents()
    found = libraries.answer(asked, lambda *_: tiny_pack.guide, lambda _: None, lambda: False)
    assert found["textures"] == 2
    assert any(found["labels"].values())
