"""Read regular files within a folder, and write without following a link."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
from pathlib import Path

TEXT_BYTES = 2_000_000  # what people write is smaller
LOCK_BYTES = 20_000_000  # what their tools write


class RefusedError(OSError):
    """A file is not what it should be; ``strerror`` says in which way."""

    def __init__(self, file: Path, reason: str) -> None:
        super().__init__(errno.EINVAL, reason, str(file))


def within(path: Path, folder: Path) -> Path:
    """Return where ``path`` leads, all links followed.

    Raises ``RefusedError`` where that is not in ``folder``, ``OSError`` where there is nothing.
    """
    place = _place(path)
    if not place.is_relative_to(folder.resolve()):
        raise RefusedError(path, f"leads out of {folder}, to {place}")
    return place


def read_bytes(file: Path, folder: Path | None = None, limit: int = TEXT_BYTES) -> bytes:
    """Return the content of a regular file, which no link may lead out of ``folder``.

    Raises ``RefusedError`` for any other and for one of more than ``limit`` bytes, ``OSError``
    for one that is not there or cannot be read.
    """
    place = within(file, folder) if folder else _place(file)
    _regular(file, os.stat(place))  # to open a device may do something
    descriptor = os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    with open(descriptor, "rb") as opened:
        _regular(file, os.fstat(descriptor))
        content = opened.read(limit + 1)
    if len(content) > limit:
        raise RefusedError(file, f"is larger than {limit:,} bytes")
    return content


def read_text(file: Path, folder: Path | None = None, limit: int = TEXT_BYTES) -> str:
    """Return the text of a file, as ``read_bytes``; one that is not UTF-8 is refused as well."""
    try:
        return read_bytes(file, folder, limit).decode("utf-8")
    except UnicodeDecodeError:
        raise RefusedError(file, "is not UTF-8 text; save it as such") from None


def write_text(file: Path, text: str) -> None:
    """Write a file whole or not at all; a link in its place goes, and where it led stays.

    Raises ``RefusedError`` for a text that UTF-8 cannot write, ``OSError`` where the folder
    cannot be written into.
    """
    try:
        content = text.encode()
    except UnicodeEncodeError:
        raise RefusedError(file, "would have half a character in it (a surrogate)") from None
    descriptor, fresh = tempfile.mkstemp(prefix=".tandem-", dir=file.parent)
    try:
        with open(descriptor, "wb") as out:
            _like(file, descriptor)
            out.write(content)
        os.replace(fresh, file)
    except BaseException:
        os.unlink(fresh)
        raise


def _place(path: Path) -> Path:
    try:
        return path.resolve(strict=True)
    except (RuntimeError, ValueError):  # links that go round; a name with NUL
        raise RefusedError(path, "leads nowhere") from None


def _regular(file: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise RefusedError(file, "is no regular file")


def _like(file: Path, descriptor: int) -> None:
    """Give what replaces ``file`` its mode and owner; else what any new file has."""
    try:
        old = os.lstat(file)
    except OSError:
        old = None
    if old is None or not stat.S_ISREG(old.st_mode):
        mask = os.umask(0)
        os.umask(mask)
        os.fchmod(descriptor, 0o666 & ~mask)
        return
    os.fchmod(descriptor, stat.S_IMODE(old.st_mode) & 0o777)
    with contextlib.suppress(PermissionError):  # the operator's own is right as well
        os.fchown(descriptor, old.st_uid, old.st_gid)
