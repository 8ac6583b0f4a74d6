"""One result as an asset in a library: a folder with its .blend and its textures."""

import hashlib
import shutil
from pathlib import Path
from typing import Any

import bpy

from . import assets, catalogs, materials, textures
from .link import disk
from .session import Result, Tag, slug
from .words import tr

FAILURES = (OSError, RuntimeError, materials.MissingFilesError, catalogs.UnknownVersionError)
FOLDER = "Patina"  # in the library


def describe(result: Result) -> dict[str, Any]:
    """A result as JSON."""
    return {
        "name": materials.title(result),
        "prompt": result.prompt,
        "rank": result.rank,
        "seed": result.seed,
        "seam": result.seam,
        "judge_score": result.judge_score,
        "guide_score": result.guide_score,
        "relief": result.relief,
        "preset": result.preset,
        "tags": [[tag.facet, tag.label] for tag in result.tags],
        "files": {name: str(path) for name, path in result.files.items()},
    }


def place(library: Path, result: Result) -> Path:
    """The folder of a result in a library: the same whenever it is saved."""
    digest = hashlib.sha256(result.key.encode()).hexdigest()[:6]
    return library / FOLDER / f"{slug(result.prompt)}_{result.rank}_{digest}"


def save(entry: dict[str, Any], order: dict[str, Any]) -> Path:
    """Write the .blend of one result, in place of what an earlier saving left. Returns where it is.

    Args:
        entry: as `describe` made it.
        order: "library", "options", "credits" and "thumbnail", as `saving` wrote them.

    Raises:
        FAILURES: it cannot be written, or a map is gone.
    """
    result = _result(entry)
    folder = place(Path(order["library"]), result)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    inside = folder / textures.FOLDER
    inside.mkdir(parents=True, exist_ok=True)
    for name, path in result.files.items():
        if not disk.has_file(path):
            raise materials.MissingFilesError(
                tr("The file {file} of {asset} is gone", file=path.name, asset=entry["name"])
            )
        result.files[name] = Path(shutil.copyfile(path, inside / path.name))
    options = dict(order["options"])
    options["scale"] = tuple(options["scale"])
    material = materials.make([], result, materials.Options(**options))
    material[materials.TAG] = entry["files"]["basecolor"]  # as it is known where it was made
    assets.mark(material, Path(order["library"]), assets.Credits(**order["credits"]), order["thumbnail"])
    blend = folder / f"{slug(result.prompt)}.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(blend), compress=True, relative_remap=True)
    return blend


def _result(entry: dict[str, Any]) -> Result:
    own = {name: value for name, value in entry.items() if name not in {"name", "tags", "files"}}
    return Result(
        **own,
        tags=tuple(Tag(facet, label) for facet, label in entry["tags"]),
        files={name: Path(path) for name, path in entry["files"].items()},
    )
