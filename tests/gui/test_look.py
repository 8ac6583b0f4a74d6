"""Pictures of the sidebar are told apart when they should be, and only then."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tests.gui import look


def sidebar(*rows):
    """A grey sidebar with a line of words per row."""
    picture = Image.new("RGB", (280, 600), (63, 63, 63))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((4, 0, 260, 12 + 30 * len(rows)), fill=(61, 61, 61))  # the panel, over a viewport
    draw.line((0, 500, 280, 400), fill=(180, 60, 60))
    for number, words in enumerate(rows):
        draw.rectangle((16, 10 + 30 * number, 250, 32 + 30 * number), fill=(84, 84, 84))
        draw.text((24, 14 + 30 * number), words, fill=(230, 230, 230))
    return look.Look("5.2.2", look.without_empty_end(picture))


PANEL = ("red bricks", "Stone", "512 px", "Variations 4", "Seed 0", "Generate", "Settings", "Engine")


def test_the_same_panel_is_the_same_but_for_its_edges():
    shown = sidebar(*PANEL)
    assert shown.difference(shown) == 0
    noise = np.random.default_rng(0).integers(-6, 7, (*shown.picture.size[::-1], 3))
    rough = Image.fromarray((np.asarray(shown.picture, np.int16) + noise).clip(0, 255).astype(np.uint8))
    assert look.Look("5.2.2", rough).difference(shown) < look.BOUND


@pytest.mark.parametrize(
    "other",
    [PANEL[1:], (*PANEL, "Library"), (*PANEL[:2], "Avoid", *PANEL[2:])],
    ids=["less", "more", "other order"],
)
def test_a_row_more_or_less_is_seen(other):
    assert sidebar(*other).difference(sidebar(*PANEL)) > look.BOUND


@pytest.mark.parametrize("words", ["Generat", "Generata", "Gemerate", "", "Gen..."])
def test_a_word_that_is_cut_misspelt_or_gone_is_seen(words):
    changed = (*PANEL[:5], words, *PANEL[6:])
    assert sidebar(*changed).difference(sidebar(*PANEL)) > look.BOUND


def test_what_a_mask_covers_may_change_and_nothing_else():
    bar, before = sidebar("Installing PyTorch", *PANEL), sidebar("Installing packages", *PANEL)
    assert bar.difference(before) > look.BOUND
    masked = {"installing": (0, 8, 280, 36)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(look, "MASKS", masked)
        assert bar.difference(before, "installing") == 0
        below = sidebar("Installing PyTorch", *PANEL[:5], "Generat", *PANEL[6:])
        assert below.difference(before, "installing") > look.BOUND


def test_a_stored_picture_is_small_and_knows_its_version(tmp_path):
    shown, file = sidebar(*PANEL), tmp_path / "sid" / "ready.png"
    shown.store(file)
    again = look.Look.stored(file)
    assert again.version == "5.2.2"
    assert again.difference(shown) == 0
    assert file.stat().st_size < 20_000
    assert again.picture.height < 300, "the empty end was kept"


def test_trouble_is_saved_with_what_differs(tmp_path):
    files = look.save_trouble(tmp_path, "ready", sidebar(*PANEL), sidebar(*PANEL[1:]))
    assert [file.name for file in files] == ["ready shown.png", "ready reference.png", "ready difference.png"]
    assert Image.open(files[-1]).getbbox() is not None
