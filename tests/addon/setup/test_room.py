"""How much of the disk the engine takes, as it is said before the button is pressed."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.addon.setup.drawn import main
from tests.addon.support import ROOT


def test_before_the_press_the_panel_says_where_it_goes_and_how_much_room_is_there(
    blender, setup, shown, chosen, tmp_path, monkeypatch
):
    disk = {"free": int(50e9)}
    monkeypatch.setattr(blender.package.room.shutil, "disk_usage", lambda _: SimpleNamespace(**disk))
    chosen.backend = "cpu"
    layout = main()
    assert "install_folder" in layout.properties()
    assert str(tmp_path / "home/patina-engine") in "".join(layout.texts()).replace("In ", "")
    assert shown.room == "It takes 1 MB of the 50.0 GB that are free there."
    assert not shown.short

    disk["free"] = int(0.2e9)
    chosen.install_folder = str(tmp_path / "other")  # looks again at once
    assert shown.folder == str(tmp_path / "other/patina-engine")
    assert shown.short
    assert shown.room == "It takes 1 MB, and only 0.2 GB are free there. Choose a folder elsewhere."
    assert shown.room in " ".join(main().texts())

    chosen.engine_source = str(tmp_path / "nothing.zip")
    setup.refresh()
    sizes = json.loads((ROOT / "requirements/sizes.json").read_text())
    for backend in sizes:
        chosen.backend = backend
        setup.refresh()
        assert shown.room.startswith(f"It takes {sizes[backend] / 1e9:.1f} GB, and only 0.2 GB")
    monkeypatch.setattr(blender.package.room, "LIKELY", ("mps", "cuda12", "cpu"))
    monkeypatch.setattr(blender.package.room.machine, "torch_build", {"mps": "", "cuda12": ""}.get)
    chosen.backend = "auto"
    setup.refresh()
    least, most = sizes["mps"] / 1e9, sizes["cuda12"] / 1e9
    assert shown.room.startswith(f"It takes {least:.1f} GB to {most:.1f} GB, and only 0.2 GB")


def test_the_engines_file_is_read_once_for_its_size(blender, setup, shown, chosen, place, monkeypatch):
    read, source = [], blender.package.room.source
    sizes = source.sizes
    monkeypatch.setattr(source, "sizes", lambda opened: read.append(opened) or sizes(opened))
    blender.package.room._read.cache_clear()
    for chosen.backend in ("cpu", "cuda", "cpu"):
        setup.refresh()
        assert shown.room.startswith("It takes 1 MB")
    assert len(read) == 1
    os.utime(place / "program/requirements/sizes.json")
    setup.refresh()
    assert len(read) == 2


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_an_engines_file_that_was_damaged_on_its_way_leaves_the_size_to_the_add_on(
    blender, setup, shown, chosen, place, tmp_path, method
):
    """One whose table of contents is whole, as that of a download with wrong bytes is."""
    archive = tmp_path / "patina-engine.zip"
    with zipfile.ZipFile(archive, "w", method) as file:
        for path in sorted((place / "program").rglob("*")):
            file.write(path, Path("patina-engine") / path.relative_to(place / "program"))
        entry = file.getinfo("patina-engine/requirements/sizes.json")
    chosen.backend, chosen.engine_source = "cpu", str(archive)
    setup.refresh()
    assert shown.room.startswith("It takes 1 MB")
    content = bytearray(archive.read_bytes())
    begin = entry.header_offset + zipfile.sizeFileHeader + len(entry.filename)
    content[begin] ^= 0xFF
    archive.write_bytes(content)
    os.utime(archive, ns=(0, 0))  # not at the very moment of the good one
    setup.refresh()
    assert shown.room.startswith(f"It takes {blender.package.room.SIZES['cpu'] / 1e9:.1f} GB")
