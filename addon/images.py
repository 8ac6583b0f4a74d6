"""Pictures for panels, as preview icons. Their pixels are replaced, and icons kept, as undo wants it."""

import array
import time
from pathlib import Path

import bpy
import bpy.utils.previews
from bpy.utils.previews import ImagePreviewCollection

from .link import Preview, disk

try:
    import numpy as np
except ImportError:  # Debian's Blender has none
    np = None

DECODED_S = 0.6  # after which Blender has decoded, beside its work, what it draws

_collection: ImagePreviewCollection | None = None
_tiled = ""  # the file that is shown four times
_wanted, _since = "", 0.0  # the file that shall be, and since when


def register() -> None:
    global _collection
    _collection = bpy.utils.previews.new()


def unregister() -> None:
    global _collection, _tiled, _wanted
    if _collection is not None:
        bpy.utils.previews.remove(_collection)
    _collection, _tiled, _wanted = None, "", ""


def show_live(preview: Preview) -> bool:
    """Take a raw RGBA8 file into the live icon of its variation. False if there is no such file any more."""
    if _collection is None:
        return False
    pixels = _read(preview)
    if pixels is None:
        return False
    name = _live(preview.variation)
    icon = _collection.get(name) or _collection.new(name)
    icon.image_size = (preview.width, preview.height)
    icon.image_pixels.foreach_set(pixels)
    return True


def live_icon(variation: int) -> int:
    """The icon of a running variation; 0 where there is none."""
    icon = _collection.get(_live(variation)) if _collection is not None else None
    return icon.icon_id if icon else 0


def file_icon(path: str) -> int:
    """The icon of a picture file; 0 where the file is gone."""
    if _collection is None:
        return 0
    icon = _collection.get(path)
    if icon is None and disk.has_file(Path(path)):
        icon = _collection.load(path, path, "IMAGE")
    return icon.icon_id if icon else 0


def later_icon(path: str) -> None:
    """Let there be an icon of a picture file; Blender reads the file when it is drawn, beside its work."""
    if _collection is not None and _collection.get(path) is None:
        _collection.load(path, path, "IMAGE")


def reload(paths: list[str]) -> None:
    """Have picture files read again whose icons are there; the tiled one, too, when it is next wanted."""
    global _tiled
    for path in paths:
        icon = _collection.get(path) if _collection is not None else None
        if icon is not None:
            icon.reload()
        if path == _tiled:
            _tiled = ""


def picture_icon(path: str, fresh: bool = False) -> int:
    """The icon of a small picture that Blender may decode when it first draws it; 0 where there is none.

    Args:
        path: of the file.
        fresh: whether the file may have changed since it was last asked for.
    """
    if _collection is None or not path:
        return 0
    icon = _collection.get(path)
    if icon is None:
        later_icon(path)
    elif fresh:
        icon.reload()
    return _collection[path].icon_id


def write_thumbnail(picture: Path, target: Path, side_px: int) -> bool:
    """Write a picture again as a small square PNG. False where it cannot be read or written."""
    try:
        image = bpy.data.images.load(str(picture))
    except RuntimeError:
        return False
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        image.scale(side_px, side_px)
        image.filepath_raw, image.file_format = str(target), "PNG"
        image.save()
    except (RuntimeError, OSError):
        return False
    finally:
        bpy.data.images.remove(image)
    return True


def want_tiled(path: str) -> bool:
    """Called while a panel is drawn. Whether `work` has to make the icon of four pictures anew."""
    global _wanted, _since
    if path != _wanted:
        _wanted, _since = path, time.monotonic()
    return _wanted != _tiled


def work() -> bool:
    """A slice of the pump's tick. True while the icon of four pictures is still to be made."""
    if _wanted in ("", _tiled):
        return False
    if time.monotonic() < _since + DECODED_S:
        return True  # asked for its pixels earlier, Blender would decode the whole file in this turn
    tile(_wanted)
    return False


def tile(path: str) -> None:
    """Make the icon that shows a picture file four times, side by side; empty where the file is gone."""
    global _tiled
    if _collection is None:
        return
    _tiled = path
    file_icon(path)
    single = _collection.get(path)
    if single is None:
        return
    there = all(single.image_size)
    width, height = single.image_size if there else (1, 1)
    pixels = array.array("i", bytes(4 * width * height))
    if there:
        single.image_pixels.foreach_get(pixels)
    rows = (pixels[start : start + width] for start in range(0, width * height, width))
    doubled = array.array("i", b"".join(2 * row.tobytes() for row in rows))
    icon = _collection.get("tiled") or _collection.new("tiled")
    icon.image_size = (2 * width, 2 * height)
    icon.image_pixels.foreach_set(doubled * 2)


def tiled() -> str:
    """The file that the tiled icon shows; "" before there is one."""
    return _tiled


def tiled_icon() -> int:
    """What `tile` made; 0 before."""
    icon = _collection.get("tiled") if _collection is not None else None
    return icon.icon_id if icon else 0


def _live(variation: int) -> str:
    return f"live {variation}"


def _read(preview: Preview) -> "array.array | np.ndarray | None":
    """The file's pixels, a 32-bit integer each, the lowest row first: an icon takes them as they are."""
    count = preview.width * preview.height
    try:
        content = Path(preview.file).read_bytes()
    except OSError:
        return None
    if min(preview.width, preview.height) < 1 or len(content) != 4 * count:
        return None
    return np.frombuffer(content, np.int32) if np is not None else array.array("i", content)
