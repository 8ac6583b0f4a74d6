"""One file from somewhere else, whole and right or not at all; what came before a break is kept.

The hub is left to its own library, which knows its cache, its tokens and its offline mode; everything
else comes over plain HTTP. Of both, `NAME.part` grows beside its validator, so that the next call goes on
where this one was cut off, and begins anew where the file has changed.
"""

from __future__ import annotations

import errno
import hashlib
import http.client
import logging
import re
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import wording
from engine.errors import CannotDownload, CannotWrite
from engine.models.offers import Remote

if TYPE_CHECKING:
    from huggingface_hub import HfFileMetadata

log = logging.getLogger(__name__)

Tell = Callable[[str, int, int], None]
"""Hears phase, bytes so far and bytes in all (0: unknown). May raise Cancelled to stop."""

CHUNK_BYTES = 1 << 20
TIMEOUT_S = 30.0
TRIES = 4
"""In a row that bring nothing. As long as something comes, a bad line may break as often as it likes."""

RESERVE_BYTES = 64 << 20
"""Left free on the disk: one filled to the last byte stops other programs."""

SHA256 = re.compile("[0-9a-f]{64}")
BROKEN = (OSError, http.client.HTTPException)  # the first is also URLError, timeouts and resets
FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}


def free_bytes(folder: Path) -> int:
    """What may be written to a folder that need not exist yet."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def check_space(folder: Path, wanted: int, free: Callable[[Path], int] = free_bytes) -> None:
    """Before anything is fetched.

    Raises:
        CannotWrite: fewer bytes are free than wanted.
    """
    there = free(folder) - RESERVE_BYTES
    if wanted > there:
        raise CannotWrite(
            f"This takes {wording.size(wanted)}, and {folder} has room for {wording.size(max(0, there))}. "
            "Free some space, or set PATINA_HOME to a folder on a larger disk.",
            details=str(folder),
        )


def fetch(
    remote: Remote,
    folder: Path,
    tell: Tell,
    *,
    free: Callable[[Path], int] = free_bytes,
    pause: Callable[[float], None] = time.sleep,
) -> Path:
    """Bring a file into an existing folder, under its name. One that is there and right is not fetched again.

    Args:
        remote: where from, and what it must hash to, if that is known.
        folder: nobody else's.
        tell: hears of every piece.
        free: bytes that a folder has room for.
        pause: waits between tries.

    Returns:
        Its path.

    Raises:
        CannotDownload: nothing comes, or something else than promised.
        CannotWrite: the disk is full or the folder read-only.
    """
    path = folder / remote.name
    if path.is_symlink():
        raise CannotWrite(f"{path} is a link, and downloads are plain files. Remove it.")
    found: str | None = None
    try:
        if remote.hub is not None:
            found = _from_hub(remote, path, tell, free)
        elif not (path.is_file() and (found := sha256(path)) == remote.sha256):
            _from_url(remote, path, tell, free, pause)
            found = None
    except PermissionError as error:
        raise CannotWrite(
            f"{folder} cannot be written to. Choose another PATINA_HOME.", details=str(error)
        ) from error
    if remote.sha256 is not None and (found or sha256(path)) != remote.sha256:
        path.unlink()
        raise CannotDownload(
            f"{remote.name} is another file than the catalogue promises, and was thrown away. "
            "Try again, or get it from another source.",
            details=remote.where(),
        )
    return path


def sha256(path: Path) -> str:
    """Of a file, in hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


# --- HTTP ----------------------------------------------------------------------------------------


class _Moved(urllib.request.HTTPRedirectHandler):
    """Follows to HTTP only, and never from https to plain http."""

    def redirect_request(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: str) -> Any:
        allowed = ("https:",) if req.full_url.startswith("https:") else ("https:", "http:")
        if not newurl.startswith(allowed):
            raise urllib.error.URLError(f"leads to {newurl}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _from_url(
    remote: Remote, path: Path, tell: Tell, free: Callable[[Path], int], pause: Callable[[float], None]
) -> None:
    from huggingface_hub import is_offline_mode

    if is_offline_mode():
        raise CannotDownload(f"{remote.name} is not here, and HF_HUB_OFFLINE is set. Unset it to download.")
    part = path.with_name(f"{path.name}.part")
    fruitless = 0
    while True:
        before = _length(part)
        try:
            _go_on(remote, part, tell, free)
            break
        except urllib.error.HTTPError as error:
            with error:
                refused = error.code
            if refused < 500 and refused not in {408, 429}:
                raise CannotDownload(
                    f"{remote.name} is not to be had: {_host(remote)} answers {refused}.",
                    details=remote.where(),
                ) from error
            reason: Exception = error
        except BROKEN as error:
            if getattr(error, "errno", None) in FULL:
                raise _disk_is_full(path.parent, error) from error
            reason = error
        fruitless = 0 if _length(part) > before else fruitless + 1
        if fruitless >= TRIES:
            raise CannotDownload(
                f"{remote.name} cannot be fetched from {_host(remote)}. Check the network and run this "
                "again: it goes on where it was cut off.",
                details=f"{remote.where()}: {reason!r}",
            ) from reason
        log.warning("%s was cut off at %d bytes: %r", remote.name, _length(part), reason)
        pause(2.0**fruitless)
    part.replace(path)
    _validator(part).unlink(missing_ok=True)


def _go_on(remote: Remote, part: Path, tell: Tell, free: Callable[[Path], int]) -> None:
    """One request: append what is missing. Returns when the file is whole.

    Raises:
        OSError, HTTPException: cut off.
    """
    have, kept = _length(part), _validator(part)
    headers = {"User-Agent": "patina", "Accept-Encoding": "identity"}
    known = kept.read_text("utf-8") if kept.is_file() else ""
    if have and known:
        headers |= {"Range": f"bytes={have}-", "If-Range": known}
    opener = urllib.request.build_opener(_Moved)
    try:
        answer = opener.open(urllib.request.Request(str(remote.url), headers=headers), timeout=TIMEOUT_S)  # noqa: S310  # the schema takes http(s) only
    except urllib.error.HTTPError as error:
        if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        error.close()
        part.unlink(missing_ok=True)  # longer than the whole: not of this file
        raise ConnectionError("the part does not fit") from error
    with answer:
        if answer.status != http.HTTPStatus.PARTIAL_CONTENT or f"bytes {have}-" not in answer.headers.get(
            "Content-Range", ""
        ):
            have = 0
        if answer.headers.get_content_type() == "text/html":
            raise _page(remote)
        rest = int(answer.headers.get("Content-Length") or 0)
        total = have + rest if rest else 0
        check_space(part.parent, rest or remote.about_bytes, free)
        kept.write_text(answer.headers.get("ETag") or answer.headers.get("Last-Modified") or "", "utf-8")
        with part.open("ab" if have else "wb") as file:
            tell("download", have, total)
            while chunk := answer.read(CHUNK_BYTES):
                file.write(chunk)
                have += len(chunk)
                tell("download", have, total)
    if total and have < total:
        raise ConnectionError(f"{have} of {total} bytes came")


def _disk_is_full(folder: Path, error: Exception) -> CannotWrite:
    return CannotWrite(f"The disk of {folder} is full. Free some space.", details=str(error))


def _page(remote: Remote) -> CannotDownload:
    return CannotDownload(
        f"{_host(remote)} answers with a web page instead of {remote.name}: it may have moved.",
        details=remote.where(),
    )


def _length(part: Path) -> int:
    if part.is_symlink():
        raise CannotWrite(f"{part} is a link, and downloads are plain files. Remove it.")
    return part.stat().st_size if part.is_file() else 0


def _validator(part: Path) -> Path:
    return part.with_name(f"{part.name}.etag")


def _host(remote: Remote) -> str:
    return urllib.parse.urlsplit(str(remote.url)).hostname or "its host"


# --- The hub -------------------------------------------------------------------------------------


def _from_hub(remote: Remote, path: Path, tell: Tell, free: Callable[[Path], int]) -> str | None:
    """Through huggingface_hub: whatever is in its cache is taken from there, with or without a network.

    Returns the file's hash, where it was compared with the hub's.
    """
    from httpx2 import HTTPError  # of the library below the hub's, whose network errors come as they are
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

    try:
        wanted, found = _bring_from_hub(remote, path, tell, free)
    except HfHubHTTPError as error:
        raise CannotDownload(
            f"{remote.name} is not to be had from the hub's {remote.hub}: "
            "it may have moved or ask for a login.",
            details=str(error),
        ) from error
    except (OfflineModeIsEnabled, LocalEntryNotFoundError, HTTPError) as error:
        raise CannotDownload(
            f"{remote.name} is not here, and the hub cannot be reached or is switched off (HF_HUB_OFFLINE). "
            "Check the network and run this again: it goes on where it was cut off.",
            details=repr(error),
        ) from error
    except OSError as error:
        if error.errno in FULL:
            raise _disk_is_full(path.parent, error) from error
        raise CannotDownload(
            f"{remote.name} was cut off. Run this again: it goes on there.", details=repr(error)
        ) from error
    if wanted is not None and (found := found or sha256(path)) != wanted:
        path.unlink()
        raise CannotDownload(
            f"{remote.name} is another file than promised, and was thrown away. Try again.",
            details=remote.where(),
        )
    return found


def _bring_from_hub(
    remote: Remote, path: Path, tell: Tell, free: Callable[[Path], int]
) -> tuple[str | None, str | None]:
    """Returns the hash that the hub states, and the file's own if it was looked at.

    Of large files the validator is the hash, and no one else compares.
    """
    import huggingface_hub as hub

    repo, name, revision = str(remote.hub), remote.in_repository, remote.revision
    cached = hub.try_to_load_from_cache(repo, name, revision=revision)
    if isinstance(cached, str):
        shutil.copyfile(cached, path)
        return _hash_in(Path(cached).resolve().name), None
    about = hub.get_hf_file_metadata(hub.hf_hub_url(repo, name, revision=revision))
    url = hub.hf_hub_url(repo, name, revision=about.commit_hash or revision)
    part, wanted = path.with_name(f"{path.name}.part"), _hash_in(about.etag or "")
    have = _vouched(part, about.etag, about.size)
    check_space(path.parent, (about.size or remote.about_bytes) - have, free)
    _go_on_from_hub(url, part, have, about, tell)
    found = sha256(part) if have and wanted is not None else None
    if found != wanted and found is not None:
        log.warning("what was kept of %s is damaged, and it is fetched anew", remote.name)
        _go_on_from_hub(url, part, 0, about, tell)
        found = None
    part.replace(path)
    _validator(part).unlink(missing_ok=True)
    return wanted, found


def _vouched(part: Path, etag: str | None, size: int | None) -> int:
    """How much there is of the file that the hub has now: nothing where the rest is another's or too long."""
    have, kept = _length(part), _validator(part)
    same = etag is not None and kept.is_file() and kept.read_text("utf-8") == etag
    return have if same and size is not None and have <= size else 0


def _go_on_from_hub(url: str, part: Path, have: int, about: HfFileMetadata, tell: Tell) -> None:
    """Fetch what comes after the first `have` bytes.

    `hf_hub_download` begins anew in every call, and what fetches by the hub's own chunks hears of no wish
    to stop; so this is the function below both, which asks for a range.
    """
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    headers = build_hf_headers(library_name="patina") | {"Accept-Encoding": "identity"}
    if not have:
        part.unlink(missing_ok=True)  # before its validator says that it is of the new file
    _validator(part).write_text(about.etag or "", "utf-8")
    try:
        with part.open("ab" if have else "wb") as file:
            http_get(
                url,
                file,
                resume_size=have,
                headers=headers,
                expected_size=about.size,
                displayed_filename=part.name,
                tqdm_class=_bar(tell),
            )
    finally:
        if _length(part) == 0:
            part.unlink(missing_ok=True)
            _validator(part).unlink(missing_ok=True)


def _hash_in(validator: str) -> str | None:
    return validator if SHA256.fullmatch(validator) else None


def _bar(tell: Tell) -> type:
    """A progress bar, as the hub's library wants one, that shows nothing and tells us."""
    from tqdm import tqdm

    class Bar(tqdm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **{**kwargs, "disable": True})
            self.total, self.done = kwargs.get("total") or 0, kwargs.get("initial") or 0

        def update(self, n: float | None = 1) -> bool | None:
            self.done += int(n or 0)
            tell("download", self.done, int(self.total or 0))
            return True

    return Bar
