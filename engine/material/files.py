"""Results on disk: PNG maps, sidecars, the summary, previews. Never half a file, always the same bytes.

Every file is written under a temporary name beside its place and then renamed, so that Blender, which
looks at the folder all the while, sees a whole file or none. Nothing of the clock goes into a file.
"""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import re
import time
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from engine.errors import CannotWrite
from engine.material.maps import DecodedMaps, emitted, glows, linear_to_srgb

SLUG_LENGTH = 48
SUMMARY = "summary.json"
RENAME_TRIES = 5
RENAME_PAUSE_S = 0.02

REASONS = {
    errno.ENOSPC: "the disk is full. Free some space or choose another folder",
    errno.EDQUOT: "your disk quota is used up. Free some space or choose another folder",
    errno.EROFS: "the disk is read-only. Choose another folder",
    errno.EACCES: "it is not yours to write to. Choose another folder or change its permissions",
    errno.EPERM: "it is not yours to write to. Choose another folder or change its permissions",
    errno.EEXIST: "there is a file of this name. Choose another folder",
    errno.EISDIR: "there is a folder of the file's name. Choose another name",
    errno.ENOTDIR: "there is a file where a folder should be. Choose another folder",
    errno.ENAMETOOLONG: "its name is too long. Choose a folder with a shorter path",
}


def slug(prompt: str) -> str:
    """A file name from a prompt: its lower-case ASCII words joined by "_", 48 characters at most.

    Accents go ("Béton brut" → "beton_brut"), a word that does not fit is left out, and a prompt without
    any such word, Chinese for instance, is "material".
    """
    plain = unicodedata.normalize("NFKD", prompt).encode("ascii", "ignore").decode()
    name = ""
    for word in re.findall(r"[a-z0-9]+", plain.lower()):
        longer = f"{name}_{word}" if name else word[:SLUG_LENGTH]
        if len(longer) > SLUG_LENGTH:
            break
        name = longer
    return name or "material"


def write_variation(
    folder: Path,
    name: str,
    rank: int,
    maps: DecodedMaps,
    normal: Tensor,
    ao: Tensor,
    sidecar: Mapping[str, Any],
    alpha: Tensor | None = None,
) -> dict[str, str]:
    """Writes `<name>_v<rank>_<map>.png` for every map and then the sidecar `<name>_v<rank>.json`.

    Maps are written as they come: call `normalise_height` first, once, so that normals, the relief in
    sidecar and summary, and the height on disk speak of the same surface.

    Args:
        folder: made if it is missing.
        name: a `slug`.
        rank: 1 is the best.
        maps: a batch of one.
        normal: (1, 3, H, W), from `normal_from_height`.
        ao: (1, 1, H, W), from `ao_from_height`.
        sidecar: goes into the JSON file, "files" added.
        alpha: (1, 1, H, W), 0..1, opacity of a decal, if it is one.

    Returns:
        File names by map: basecolor, normal_gl, roughness, metallic, ao (8 bits a channel), height (16),
        and, only where something glows, emission: sRGB, 8 bits a channel, the light that `emitted` says;
        of a decal also alpha (8).

    Raises:
        CannotWrite: the folder cannot be made or written to.
    """
    pictures = {
        "basecolor": maps.basecolor,
        "normal_gl": normal,
        "roughness": maps.roughness,
        "metallic": maps.metallic,
        "height": maps.height,
        "ao": ao,
    }
    if glows(maps).item():
        pictures["emission"] = linear_to_srgb(emitted(maps))
    if alpha is not None:
        pictures["alpha"] = alpha
    files = {}
    for kind, picture in pictures.items():
        files[kind] = picture_name(name, rank, kind)
        write_map(folder / files[kind], kind, picture[0])
    for kind in {"emission", "alpha"} - set(files):  # an earlier run's would make this one's bricks glow
        remove(folder / picture_name(name, rank, kind))
    write_json(folder / sidecar_name(name, rank), {**sidecar, "files": files})
    return files


def picture_name(name: str, rank: int, kind: str) -> str:
    """The PNG file of one of a variation's maps."""
    return f"{name}_v{rank}_{kind}.png"


def sidecar_name(name: str, rank: int) -> str:
    """The JSON file that lies beside a variation's maps."""
    return f"{name}_v{rank}.json"


def write_summary(folder: Path, summary: Mapping[str, Any]) -> Path:
    """Writes the summary of a request as summary.json and says where.

    Raises:
        CannotWrite: the folder cannot be made or written to.
    """
    path = folder / SUMMARY
    write_json(path, summary)
    return path


def write_preview(path: Path, picture: Tensor) -> None:
    """Writes raw RGBA8 rows from the bottom up, opaque: what Blender takes into an icon without decoding.

    Args:
        path: of the preview; its folder is made if it is missing.
        picture: (3, H, W), sRGB, 0..1.

    Raises:
        CannotWrite: the folder cannot be made or written to.
    """
    rgb = _as_bytes(picture)[::-1]
    alpha = np.full((*rgb.shape[:2], 1), 255, np.uint8)
    write_bytes(path, np.concatenate([rgb, alpha], axis=2).tobytes())


def picture_of(picture: Tensor) -> Image.Image:
    """(C, H, W) in 0..1 as a picture of 8 bits a channel."""
    return Image.fromarray(_as_bytes(picture))


def write_map(path: Path, kind: str, picture: Tensor) -> None:
    """Writes a map (C, H, W) in 0..1 as a PNG: height with 16 bits a channel, every other with 8.

    Raises:
        CannotWrite: the folder cannot be made or written to.
    """
    pixels = _as_words(picture) if kind == "height" else _as_bytes(picture)
    write_picture(path, Image.fromarray(pixels))


def write_picture(path: Path, picture: Image.Image) -> None:
    """Writes a PNG without any metadata.

    Raises:
        CannotWrite: the folder cannot be made or written to.
    """
    png = io.BytesIO()
    picture.save(png, "PNG", compress_level=6)
    write_bytes(path, png.getvalue())


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Writes readable JSON, keys in the order in which they come.

    A path that is no valid Unicode, which a system may have, is escaped, and read as what it was.

    Raises:
        CannotWrite: the folder cannot be made or written to.
        ValueError: a number is not finite, which JSON does not know.
    """
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    write_bytes(path, (text + "\n").encode(errors="backslashreplace"))


def write_bytes(path: Path, content: bytes) -> None:
    """Puts a whole file in its place, or leaves everything as it was.

    Raises:
        CannotWrite: the folder cannot be made or written to.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    with _refusals(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            unfinished.write_bytes(content)
            _rename(unfinished, path)
        except BaseException:  # an interrupt leaves nothing behind either
            unfinished.unlink(missing_ok=True)
            raise


def check_folder(folder: Path) -> None:
    """Makes a folder, with those above it: before minutes of work rather than after.

    Raises:
        CannotWrite: it cannot be made or written to.
    """
    probe = folder / ".patina"
    write_bytes(probe, b"")
    remove(probe)


def check_file(path: Path) -> None:
    """Makes the folder of a file that will be written: before minutes of work rather than after.

    Raises:
        CannotWrite: it cannot be made or written to, or a folder has the file's name.
    """
    with _refusals(path):
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    check_folder(path.parent)


def remove(path: Path) -> None:
    """Takes a file away, if it is there.

    Raises:
        CannotWrite: it cannot be removed.
    """
    with _refusals(path):
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def _refusals(path: Path) -> Iterator[None]:
    """What the system says against a file, in words that say what to do."""
    try:
        yield
    except OSError as error:
        reason = REASONS.get(error.errno or 0, f"{error.strerror or error}. Choose another folder")
        raise CannotWrite(
            f"Cannot write to the folder {path.parent}: {reason}.", field="folder", details=repr(error)
        ) from error


def _rename(source: Path, target: Path) -> None:
    """On Windows a file that someone reads right now cannot be replaced; a moment later it can."""
    for _ in range(RENAME_TRIES - 1):
        try:
            source.replace(target)
            return
        except PermissionError:
            time.sleep(RENAME_PAUSE_S)
    source.replace(target)


def _as_bytes(picture: Tensor) -> NDArray[np.uint8]:
    """(C, H, W) in 0..1 → (H, W, 3) or, of one channel, (H, W)."""
    return _levels(picture, 255).astype(np.uint8)


def _as_words(picture: Tensor) -> NDArray[np.uint16]:
    """(1, H, W) in 0..1 → (H, W)."""
    return _levels(picture, 65535).astype(np.uint16)


def _levels(picture: Tensor, highest: int) -> NDArray[np.float64]:
    scaled: NDArray[np.float64] = picture.detach().cpu().double().clamp(0, 1).mul(highest).round().numpy()
    return scaled[0] if len(scaled) == 1 else scaled.transpose(1, 2, 0)
