"""What a person or a client asks of a library, and gets."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from engine import cli, protocol
from engine.errors import BadIndex, Cancelled, InvalidRequest, UnreadablePicture
from engine.library import commands, index, loading, place, requests, words
from engine.library.jobs import Libraries
from engine.library.names import Texture, group
from engine.library.service import Library
from engine.library.store import Store, index_file
from engine.params import invalid
from engine.server import Server

RED, BLUE = (180, 40, 40), (40, 60, 170)


@pytest.fixture
def library(tiny_pack, tmp_path):
    return Library(tiny_pack.guide, tmp_path / "library")


@pytest.fixture
def filled(library, textures, paint):
    for k in range(4):
        paint(textures / f"t{k}.png", k)
    Image.new("RGB", (40, 40), RED).save(textures / "flat.png")
    library.index(requests.Index(folders=(str(textures),)))
    return library


def names(answer):
    return [found["name"] for found in answer["results"]]


# --- Tags ---------------------------------------------------------------------------------------


def test_files_are_tagged_and_what_cannot_be_read_is_answered(library, textures, paint):
    good = paint(textures / "good.png", 1)
    (textures / "bad.png").write_text("no picture")
    asked = [good, textures / "bad.png", textures / "missing.png", textures]
    (textures / "notes.txt").touch()
    answer = library.tag(requests.Tag(files=tuple(map(str, [*asked, textures / "notes.txt"]))))
    by_name = {Path(f["file"]).name: f for f in answer["files"]}
    assert {t["facet"] for t in by_name["good.png"]["tags"]} >= {"material", "colour"}
    assert by_name["good.png"]["badges"]["seamless"] in (True, False)
    assert [n for n, f in by_name.items() if "error" in f] == ["missing.png", "notes.txt", "bad.png"]
    assert not answer["calibrated"]
    assert protocol.encode(answer)


def test_labels_make_it_a_classifier(library, textures, paint):
    path = paint(textures / "a.png", 1)
    asked = requests.Tag(files=(str(path),), labels=("a photo of a cat", "a photo of a dog"))
    (file,) = library.tag(asked)["files"]
    assert sum(file["labels"].values()) == pytest.approx(1, abs=1e-3)


def test_words_of_the_users_own_are_tags_and_old_textures_get_them_unseen(filled, monkeypatch):
    monkeypatch.setattr(loading, "decode", lambda *_: pytest.fail("opened"))
    answer = filled.index(requests.Index(words=(" hull  plating ", "alien", "alien")))
    assert words.read(filled.folder) == ("hull plating", "alien")
    assert answer["unchanged"] == 5
    with Store(filled.index_file) as store:
        ids = list(store.mains())
        tagged = filled.eye.tagger.labels("word")
        before = store.meta("tags")
    assert tagged == ("hull plating", "alien")
    filled.index(requests.Index(words=()))
    with Store(filled.index_file) as store:
        assert store.meta("tags") != before
        assert list(store.mains()) == ids


def test_a_roughness_map_says_how_glossy_a_surface_is(library, textures, paint):
    for name, level in (("shiny", 20), ("dull", 240)):
        paint(textures / f"{name}_color.png", 1)
        Image.new("L", (40, 40), level).save(textures / f"{name}_rough.png")
    answer = library.tag(requests.Tag(files=(str(textures),)))
    found = {f["name"]: [t["label"] for t in f["tags"] if t["facet"] == "finish"] for f in answer["files"]}
    assert found == {"shiny": ["glossy"], "dull": ["matte"]}


# --- Search -------------------------------------------------------------------------------------


def test_a_texture_is_found_by_its_own_picture_elsewhere(filled, tmp_path, textures):
    copy = tmp_path / "mine.png"
    copy.write_bytes((textures / "t2.png").read_bytes())
    answer = filled.search(requests.Search(like=str(copy)))
    assert names(answer)[0] == "t2"
    assert answer["results"][0]["score"] == pytest.approx(1, abs=1e-2)
    assert answer["textures"] == 5


def test_a_texture_is_not_like_itself(filled, textures):
    found = names(filled.search(requests.Search(like=str(textures / "t2.png"))))
    assert "t2" not in found
    assert len(found) == 4


def test_words_alone_and_with_a_picture_rank_everything(filled, textures):
    for more in ({}, {"like": str(textures / "t1.png"), "like_weight": 0.3}):
        answer = filled.search(requests.Search(text="red bricks", **more))
        scores = [found["score"] for found in answer["results"]]
        assert scores == sorted(scores, reverse=True)
        assert len(scores) == (5 if not more else 4)


def test_filters_by_tag_and_seam_hold(filled):
    with Store(filled.index_file) as store:
        known = {k.name: k for k in store.known(list(store.mains()))}
    label = known["t1"].tags[0].label
    sure = {n for n, k in known.items() if any(t.label == label and t.confidence >= 0.35 for t in k.tags)}
    assert set(names(filled.search(requests.Search(text="x", tags=(label,))))) == sure
    seamless = set(names(filled.search(requests.Search(seamless=True))))
    assert seamless == {n for n, k in known.items() if k.badges["seamless"]}
    assert "flat" in seamless


def test_searching_for_nothing_is_refused(filled):
    with pytest.raises(InvalidRequest, match="Say what to look for"):
        filled.search(requests.Search())
    with pytest.raises(UnreadablePicture, match="is not there"):
        filled.search(requests.Search(like=str(filled.folder / "none.png")))


def test_an_index_that_is_no_index_is_told(library):
    library.folder.mkdir()
    library.index_file.write_bytes(b"not a database at all" * 100)
    with pytest.raises(BadIndex, match="Delete it"):
        library.search(requests.Search(text="x"))


def test_an_index_of_a_newer_version_is_left_alone(library):
    with Store(library.index_file) as store:
        store._db.execute("PRAGMA user_version = 99")
    with pytest.raises(BadIndex, match="newer version"):
        Store(library.index_file)


def test_each_model_has_its_own_index(tiny_pack, tmp_path):
    files = {Library(clip, tmp_path).index_file for clip in (tiny_pack.guide, tiny_pack.judge)}
    assert len(files) == 2
    assert index_file(tmp_path, "abc").name == "index-abc.sqlite"


# --- Loading ------------------------------------------------------------------------------------


def test_maps_make_a_lit_view(textures, paint):
    paint(textures / "w_color.png", 1)
    paint(textures / "w_normal.png", 2)
    ((texture,), _) = group(textures.iterdir())
    lit = loading.decode(loading.read(texture), 32).views
    assert set(lit) == {"albedo", "lit"}
    (textures / "w_normal.png").unlink()
    alone = Texture("w", {"basecolor": textures / "w_color.png"})
    assert set(loading.decode(loading.read(alone), 32).views) == {"albedo"}


@pytest.mark.parametrize("text", ['{"relief": 0.3}', "{", '{"relief": "x"}', "[]", '{"relief": 1e9}'])
def test_a_sidecar_that_lies_beside_is_read_if_it_can_be(textures, text):
    (textures / "w.json").write_text(text)
    relief = loading._relief(Texture("w", {"basecolor": textures / "w_color.png"}))
    assert relief == (0.3 if text == '{"relief": 0.3}' else loading.RELIEF)


def test_the_same_files_have_the_same_digest_wherever_they_lie(textures, paint):
    for folder in ("a", "b"):
        paint(textures / folder / "w_color.png", 1)
        paint(textures / folder / "w_rough.png", 2)
    found, _ = group(textures.rglob("*.png"))
    assert len({loading.read(t).digest for t in found}) == 1
    paint(textures / "b" / "w_rough.png", 3)
    assert len({loading.read(t).digest for t in found}) == 2


# --- Requests, the server and the shell ---------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "given", "said"),
    [
        (requests.Tag, {}, "'files' is missing"),
        (requests.Tag, {"files": ["a.png"]}, "'files' 1 must be an absolute path"),
        (requests.Search, {"like_weight": 2}, "'like_weight' must be between 0 and 1"),
        (requests.Search, {"limit": 0}, "'limit' must be between 1 and 10000"),
        (requests.Search, {"txt": "moss"}, "Did you mean 'text'?"),
        (requests.Index, {"device": "gpu"}, "'device' must be one of"),
        (requests.Index, {"folders": "all"}, "'folders' must be a list"),
    ],
)
def test_bad_requests_are_refused_by_field(schema, given, said):
    with pytest.raises(ValidationError) as caught:
        schema.model_validate(given)
    assert said in invalid(caught.value, schema).message


def server():
    sent = []
    made = Server(sent.append, end=lambda: None)
    made._jobs.start = lambda: None  # no worker: what is refused is refused at once
    return made, sent


@pytest.mark.parametrize("method", ["tag", "index", "search"])
def test_the_server_takes_the_three_requests_and_refuses_at_once(method):
    made, sent = server()
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {"nonsense": 1}}
    made.handle(json.dumps(message).encode())
    assert sent[0]["error"]["data"]["field"] in ("nonsense", "files")


def test_jobs_answer_tell_and_can_be_cancelled(tiny_pack, textures, tmp_path, paint):
    for k in range(3):
        paint(textures / f"{k}.png", k)
    asked = requests.Index(folder=str(tmp_path / "library"), folders=(str(textures),))
    libraries, news = Libraries(), []
    with pytest.raises(Cancelled):
        libraries.answer(asked, lambda *_: tiny_pack.guide, news.append, lambda: True)
    assert [(p.step, p.total) for p in news] == [(1, 3)]
    answer = libraries.answer(asked, lambda *_: tiny_pack.guide, news.append, lambda: False)
    assert answer["textures"] == 3
    assert protocol.encode(answer)
    search = requests.Search(folder=asked.folder, text="stone", limit=2)
    assert (
        len(libraries.answer(search, lambda *_: tiny_pack.guide, news.append, lambda: False)["results"]) == 2
    )


def test_a_request_to_the_server_becomes_a_job_that_does_it(tiny_pack, textures, tmp_path, paint):
    paint(textures / "a.png", 1)
    made, sent = server()
    made._desk._models = lambda: SimpleNamespace(guide=lambda *_: tiny_pack.guide)
    params = {"folder": str(tmp_path / "library"), "folders": [str(textures)]}
    made.handle(json.dumps({"jsonrpc": "2.0", "id": 7, "method": "index", "params": params}).encode())
    (job,) = made._jobs._waiting
    assert job.work(job)["textures"] == 1
    assert [m["params"]["phase"] for m in sent if m["method"] == "job/progress"] == ["look"]


def test_the_shell_tags_indexes_and_searches(pack_root, textures, tmp_path, paint, capsys):
    paint(textures / "a.png", 1)
    paint(textures / "b.png", 2)
    (textures / "bad.png").write_text("x")
    common = ["--pack", "tiny", "--device", "cpu", "--folder", str(tmp_path / "library"), "--json"]

    def ask(*arguments):
        code = cli.main([*arguments, *common])
        return code, json.loads(capsys.readouterr().out)

    code, answer = ask("tag", str(textures / "a.png"), "--labels", "a cat", "a dog")
    assert (code, set(answer["files"][0]["labels"])) == (0, {"a cat", "a dog"})
    assert ask("tag", str(textures / "bad.png"))[0] == 1
    code, answer = ask("index", str(textures))
    assert (code, answer["added"], len(answer["broken"])) == (0, 2, 1)
    code, answer = ask("search", "red", "bricks", "--limit", "1")
    assert (code, len(answer["results"])) == (0, 1)
    assert ask("search", "--duplicates")[1]["duplicates"] == []
    assert cli.main(["search", "stone", *common[:-1]]) == 0
    assert "Among 2 textures" in capsys.readouterr().out


def test_bad_input_in_the_shell_is_refused_before_torch_is_needed(capsys):
    assert cli.main(["search", "x", "--like-weight", "3"]) == 2
    assert "'like_weight' must be between 0 and 1" in capsys.readouterr().err


def test_ctrl_c_keeps_what_is_indexed_and_says_where(
    pack_root, textures, tmp_path, paint, capsys, monkeypatch
):
    for k in range(2):
        paint(textures / f"{k}.png", k)
    common = ["--pack", "tiny", "--device", "cpu", "--folder", str(tmp_path / "library")]

    def interrupt(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(index, "BATCH", 1)
        patch.setattr(commands._Answer, "tell", interrupt)
        assert cli.main(["index", str(textures), *common]) == 130
    assert f"what was finished is in {tmp_path / 'library'}" in capsys.readouterr().err
    assert cli.main(["search", "red", "bricks", *common]) == 0
    assert "Among 1 textures" in capsys.readouterr().out


def test_a_model_that_open_clip_does_not_know_is_bad_input(textures, tmp_path, paint, capsys):
    paint(textures / "a.png", 1)
    folder = str(tmp_path / "library")
    assert cli.main(["tag", str(textures / "a.png"), "--model", "nowhere", "--folder", folder]) == 2
    assert "open_clip cannot load 'nowhere'. Check --model" in capsys.readouterr().err


# --- Places -------------------------------------------------------------------------------------


def test_the_library_lies_where_the_user_keeps_what_is_theirs(tmp_path, monkeypatch):
    monkeypatch.setenv("PATINA_HOME", str(tmp_path))
    assert place.default_folder() == tmp_path / "library"


def test_a_damaged_list_of_words_is_told(tmp_path):
    (tmp_path / words.FILE).write_text("[")
    with pytest.raises(InvalidRequest, match="Delete it"):
        words.read(tmp_path)
    (tmp_path / words.FILE).write_text('{"words": [1, "moss", "  "]}')
    assert words.read(tmp_path) == ("moss",)


def test_vectors_are_kept_in_half_precision_and_come_back_as_unit_vectors(filled):
    with Store(filled.index_file) as store:
        blob = store._db.execute("SELECT vector FROM vectors").fetchone()[0]
        assert len(blob) == 2 * 16
        np.testing.assert_allclose(np.linalg.norm(store.vectors()[1], axis=1), 1, atol=1e-4)
