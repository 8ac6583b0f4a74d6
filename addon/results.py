"""Results on disk: the sidecar, its star, its maps; copied, starred, deleted. No bpy.

A sidecar is never written to: that a result is starred says an empty file beside it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .session import CHECKPOINT, Result, result_of
from .words import tr

SUMMARY = "summary.json"
STAR = ".star"
LEFTOVERS = ("summary.json", "preview_*.rgba", CHECKPOINT)  # of a run whose results are all deleted


class DamagedError(Exception):
    """A sidecar that cannot be read, or does not say what a result is."""


def content_of(sidecar: Path) -> dict[str, Any]:
    """What a sidecar says.

    Raises:
        DamagedError: see there.
    """
    try:
        content = json.loads(sidecar.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DamagedError(tr("The file {file} cannot be read.", file=sidecar.name)) from error
    if not isinstance(content, dict) or not isinstance(content.get("settings"), dict):
        raise DamagedError(tr("The file {file} is not of a result.", file=sidecar.name))
    return content


def about(content: dict[str, Any]) -> dict[str, Any]:
    """Of a sidecar's content, what lists and panels show of a result."""
    settings = content["settings"]
    kept = ("rank", "judge_score", "guide_score", "seam", "seed", "relief", "files", "tags")
    kept += ("repeats", "artefacts", "diversity")
    return {
        **{name: content[name] for name in kept if name in content},
        **{name: str(settings.get(name, "")) for name in ("prompt", "negative", "preset")},
    }


def result_at(sidecar: Path, facts: dict[str, Any]) -> Result:
    """The result that lies beside a sidecar.

    Args:
        facts: as `about` makes them.

    Raises:
        DamagedError: something is missing, or a file is named outside the folder.
    """
    try:
        result = result_of(facts, {**facts, "sidecar": sidecar.name}, sidecar.parent)
        outside = [path for path in result.files.values() if path.parent != sidecar.parent]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DamagedError(tr("The file {file} lacks something.", file=sidecar.name)) from error
    if outside or "basecolor" not in result.files:
        raise DamagedError(tr("The file {file} names files that are not its own.", file=sidecar.name))
    return result


def star_of(sidecar: Path) -> Path:
    """The file that says that a result is starred, where it is there."""
    return sidecar.with_suffix(STAR)


def set_star(sidecar: Path, on: bool) -> None:
    """Star a result, or take its star away.

    Raises:
        OSError: the folder does not take files.
    """
    if on:
        star_of(sidecar).touch()
    else:
        star_of(sidecar).unlink(missing_ok=True)


def files_of(sidecar: Path, facts: Mapping[str, Any]) -> dict[str, Path]:
    """All pictures that a sidecar names, those that no material takes included; none outside its folder."""
    named = facts["files"].items()
    return {kind: sidecar.parent / name for kind, name in named if Path(str(name)).name == name}


def size_of(sidecar: Path, facts: Mapping[str, Any]) -> int:
    """Bytes on the disk of a result's pictures and sidecar."""
    return sum(_bytes_of(path) for path in (sidecar, *files_of(sidecar, facts).values()))


def _bytes_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # gone
        return 0


def copy_to(folder: Path, result: Result) -> list[Path]:
    """Copy a result's maps and sidecar into a folder, under a name that is free there.

    Raises:
        DamagedError: the sidecar cannot be read.
        OSError: a file is gone, or the folder does not take it.
    """
    assert result.sidecar is not None
    content, old = content_of(result.sidecar), result.sidecar.stem
    stem = _free(folder, old)
    originals = files_of(result.sidecar, content)
    files = {name: path.name.replace(old, stem, 1) for name, path in originals.items()}
    folder.mkdir(parents=True, exist_ok=True)
    for name, path in originals.items():
        shutil.copyfile(path, folder / files[name])
    text = json.dumps({**content, "files": files}, indent=2, ensure_ascii=False)
    (folder / f"{stem}.json").write_text(text + "\n", encoding="utf-8")
    return [folder / name for name in (*files.values(), f"{stem}.json")]


def _free(folder: Path, stem: str) -> str:
    taken = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    name, number = stem, 1
    while any(other == f"{name}.json" or other.startswith(f"{name}_") for other in taken):
        number += 1
        name = f"{stem}_{number}"
    return name


def delete(sidecar: Path, facts: Mapping[str, Any]) -> Iterator[None]:
    """Delete a result's files, one a step, the sidecar last: what is half deleted can be deleted again.

    Files that cannot be deleted stay, and with them the sidecar.
    """
    files = [star_of(sidecar), *files_of(sidecar, facts).values(), sidecar]
    try:
        for path in files:
            path.unlink(missing_ok=True)
            yield
        _remove_if_empty(sidecar.parent)
    except OSError:
        return


def _remove_if_empty(folder: Path) -> None:
    leftovers = [path for pattern in LEFTOVERS for path in folder.glob(pattern)]
    if len(leftovers) < len(list(folder.iterdir())):
        return
    for path in leftovers:
        path.unlink()
    folder.rmdir()
    if not any(folder.parent.iterdir()):
        folder.parent.rmdir()
