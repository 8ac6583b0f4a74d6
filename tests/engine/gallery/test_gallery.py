"""The gallery: that its plan shows every feature, and that pieces are made, kept and shown."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from PIL import Image

from engine import cli, cli_edits
from engine.errors import InvalidRequest
from engine.gallery.commands import features
from engine.gallery.make import COMMANDS, MASKS, Workshop
from engine.gallery.plan import GALLERY, NAMED, Feature, Piece, Plan, Row, Shown
from engine.gallery.sheets import CELL_PX, HEADER_PX, LEAST, ROW_HEADER_PX
from engine.gallery.show import show
from engine.material.contact import MARGIN_PX

TINY = ("--pack", "tiny", "--size", "128", "--steps", "1", "--seed", "3")
SMALL = Plan.of(
    (
        Piece("bricks", ("generate", "red bricks", "--variations", "1", *TINY)),
        Piece(
            "moss",
            ("refine", "{bricks.json}", "--prompt", "moss", "--mask", "{disc.mask}", "--steps", "1"),
        ),
        Piece("way", ("interpolate", "{bricks.json}", "{bricks.png}", "--steps", "2", "--guided", "1",
                      "--seed", "3")),
        Piece("tale", ("story", "0: moss | 1: bricks", "--frames", "2", *TINY)),
        Piece("cream", ("generate", "bricks", "--palette", "white, black", "--variations", "1", *TINY)),
    ),
    (
        Feature("words", "Words", "A prompt.", (
            Row("bricks", (Shown("bricks", "colour", "it"), Shown("bricks", "tiled", "repeated"),
                           Shown("bricks", "light", "lit"))),
        )),
        Feature("rest", "The rest", "All views.", (
            Row("moss", (Shown("moss", "mask", "mask"), Shown("moss", "detail", "detail"))),
            Row("way", (Shown("way", "strip", "strip"),)),
            Row("tale", (Shown("tale", "frames", "frames"),)),
            Row("cream", (Shown("cream", "palette", "palette"),)),
        )),
    ),
)  # fmt: skip


@pytest.fixture
def shop(pack_root, tiny_pack, tmp_path):
    return Workshop(SMALL, tmp_path / "work", lambda *_: tiny_pack, "cpu")


def feature(plan, name):
    return next(f for f in plan.features if f.name == name)


def words_of(name):
    return [GALLERY.pieces[row.piece].command for row in feature(GALLERY, name).rows]


# --- The plan ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "command", "word"),
    [
        ("words", "generate", "--seed"),
        ("weights", "generate", "--seed"),
        ("negative", "generate", "--negative"),
        ("picture", "generate", "--picture"),
        ("palette", "generate", "--palette"),
        ("mask", "refine", "--mask"),
        ("vary", "vary", "--strength"),
        ("difference", "vary", "--to"),
        ("interpolate", "interpolate", "--steps"),
        ("story", "story", "--frames"),
        ("size", "generate", "--size"),
    ],
)
def test_every_feature_is_shown_with_six_prompts(name, command, word):
    commands = words_of(name)
    assert all(c[0] == command and word in c for c in commands)
    assert len({c[1:3] for c in commands}) == 6


def test_there_are_six_prompts_and_both_large_sizes():
    assert len({c[1] for c in words_of("words")}) == 6
    assert {c[c.index("--size") + 1] for c in words_of("size")} == {"512", "1024"}
    assert all(":0." in c[1] for c in words_of("weights"))


def test_everything_shown_is_planned_and_everything_planned_is_shown():
    shown = {name for f in GALLERY.features for row in f.rows for name in row.pieces}
    assert shown == set(GALLERY.pieces)
    assert all(need in GALLERY.pieces for piece in GALLERY.pieces.values() for need in piece.needs)


@pytest.mark.parametrize("piece", GALLERY.pieces.values(), ids=lambda piece: piece.name)
def test_a_command_is_one_that_can_be_typed(piece, tmp_path):
    """Its options are there, its settings valid, and its seed given, so that it is made once and for all."""
    places = {"json": "result.json", "png": "picture.png", "mask": "mask.png"}
    Image.new("L", (8, 8), 255).save(tmp_path / "mask.png")
    Image.new("RGB", (8, 8)).save(tmp_path / "picture.png")
    maps = dict.fromkeys(("basecolor", "height", "roughness", "metallic"), "picture.png")
    about = {"settings": {"prompt": "moss", "seed": 1}, "files": maps, "pack": {"sha256": {}}, "relief": 0.1}
    (tmp_path / "result.json").write_text(json.dumps({**about, "origin": "", "seed": 1}))
    typed = [NAMED.sub(lambda m: str(tmp_path / places[m[2]]), word) for word in piece.command]
    options, command = cli.parser().parse_args(typed), COMMANDS[piece.command[0]]
    asked = {**command.params(options), **cli_edits.edits_of(options), "folder": str(tmp_path)}
    first, again = (command.resolve(asked)[0] for _ in range(2))
    assert first == again
    assert all(m[1] in MASKS for word in piece.command for m in NAMED.finditer(word) if m[2] == "mask")


def test_only_some_are_asked_for_by_name():
    assert [f.name for f in features(GALLERY, "mask, words")] == ["words", "mask"]
    assert features(GALLERY, None) == list(GALLERY.features)
    with pytest.raises(InvalidRequest, match="no 'mosk'") as caught:
        features(GALLERY, "mosk")
    assert caught.value.field == "only"


# --- Pieces and sheets ---------------------------------------------------------------------------


def test_pieces_land_on_sheets_and_the_page(shop, tmp_path):
    out = tmp_path / "out"
    said = list(show(SMALL, SMALL.features, shop, out))
    assert "bricks: made" in said and str(out / "rest.jpg") in said
    page = (out / "GALLERY.md").read_text("utf-8")
    assert 'python engine generate "red bricks"' in page
    assert "refine bricks/red_bricks_v1.json --prompt moss --mask disc.png" in page
    assert "![Words](words.jpg)" in page and "![The rest](rest.jpg)" in page
    assert str(tmp_path) not in page
    with (
        Image.open(out / "words.jpg") as sheet,
        Image.open(shop.work / "bricks" / "red_bricks_v1_basecolor.png") as base,
    ):
        assert sheet.width == LEAST + 2 * MARGIN_PX
        cell = (
            MARGIN_PX,
            HEADER_PX + ROW_HEADER_PX,
            MARGIN_PX + CELL_PX,
            HEADER_PX + ROW_HEADER_PX + CELL_PX,
        )
        seen, made = (
            p.convert("RGB").resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
            for p in (sheet.crop(cell), base)
        )
        assert all(abs(a - b) < 6 for a, b in zip(seen, made, strict=True))


def test_what_is_finished_is_not_made_again(shop, tmp_path):
    words = [feature(SMALL, "words")]
    assert [*show(SMALL, words, shop, tmp_path / "out")][:1] == ["bricks: made"]
    picture = shop.work / "bricks" / "red_bricks_v1_basecolor.png"
    before = picture.stat().st_mtime_ns
    assert [*show(SMALL, words, shop, tmp_path / "out")][:1] == ["bricks: as it was"]
    assert picture.stat().st_mtime_ns == before


def test_what_is_asked_for_otherwise_is_made_again(shop, tiny_pack, tmp_path):
    list(shop.make(["bricks"]))
    bricks = SMALL.pieces["bricks"]
    other = replace(bricks, command=tuple("4" if word == "3" else word for word in bricks.command))
    changed = Plan.of((other,), ())
    again = Workshop(changed, shop.work, lambda *_: tiny_pack, "cpu")
    assert list(again.make(["bricks"])) == [("bricks", True)]


def test_a_work_folder_may_be_moved(shop, tiny_pack, tmp_path):
    list(shop.make(["moss"]))
    moved = shop.work.rename(tmp_path / "elsewhere")
    again = Workshop(SMALL, moved, lambda *_: tiny_pack, "cpu")
    assert list(again.make(["moss"])) == [("bricks", False), ("moss", False)]


def test_the_page_shows_only_what_is_there(shop, tmp_path):
    list(show(SMALL, [feature(SMALL, "words")], shop, tmp_path))
    page = (tmp_path / "GALLERY.md").read_text("utf-8")
    assert "words.jpg" in page and "rest.jpg" not in page
