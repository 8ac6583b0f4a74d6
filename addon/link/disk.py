"""A disk that may be full, shut or gone: whether something is there, and what to say of an error."""

from pathlib import Path


def has_file(path: Path) -> bool:
    """Whether there is such a file, and it can be seen."""
    try:
        return path.is_file()
    except OSError:  # before Python 3.14: a folder of somebody else's, a network that is down, a long name
        return False


def has_folder(path: Path) -> bool:
    """Whether there is such a folder, and it can be seen."""
    try:
        return path.is_dir()
    except OSError:  # as above
        return False


def shown(text: str) -> str:
    """A text with the names of files in it as Blender can hold it: what is no UTF-8 in them becomes "?"."""
    return text.encode("utf-8", "replace").decode()


def why(error: Exception) -> str:
    """Why something did not work, for people: of a system's error its words and the file, without numbers."""
    if not isinstance(error, OSError) or not error.strerror:
        return str(error)
    file = error.filename2 or error.filename
    return f"{error.strerror}: {file}" if file else error.strerror
