"""Whether something is on a disk that may be shut or gone, for which Python before 3.14 raises an error."""

from pathlib import Path


def has_file(path: Path) -> bool:
    """Whether there is such a file, and it can be seen."""
    try:
        return path.is_file()
    except OSError:  # a folder of somebody else's, a network that is down, a name that is too long
        return False


def has_folder(path: Path) -> bool:
    """Whether there is such a folder, and it can be seen."""
    try:
        return path.is_dir()
    except OSError:  # as above
        return False
