"""Where access logs come from: files, .gz, standard input, or the replica's containers."""

from __future__ import annotations

import gzip
import shutil
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO

SERVER_LOG = Path("/var/log/nginx/tandem.json")
LONGEST_LINE_BYTES = 1 << 20


class LogSourceError(Exception):
    """A log cannot be read; the message says which, why, and what to do."""


def default() -> list[str]:
    """Return the names to read when none was given: a server's log, else the replica."""
    if SERVER_LOG.exists():
        return [str(SERVER_LOG)]
    if Path("compose.yaml").exists() and shutil.which("docker"):
        return ["replica"]
    raise LogSourceError(
        f"no log was named, there is no {SERVER_LOG}, and this is not the project's folder"
        " with its replica; name the files, or - for standard input"
    )


def lines(name: str, since: float | None = None) -> Iterator[bytes]:
    """Give each line of ``name``: a file, a .gz, ``-``, or ``replica``.

    ``since`` (seconds since the epoch) spares the replica's older lines.  A line longer than a
    MiB comes in pieces, none of which is understood.  Raises ``LogSourceError``.
    """
    try:
        with _opened(name, since) as file:
            yield from iter(partial(file.readline, LONGEST_LINE_BYTES), b"")
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise LogSourceError(f"{name}: is not a whole gzip file ({error}); name another") from None
    except OSError as error:
        raise LogSourceError(f"{name}: {error.strerror or error}") from None


@contextmanager
def _opened(name: str, since: float | None) -> Iterator[IO[bytes]]:
    if name == "-":
        yield sys.stdin.buffer
    elif name == "replica":
        with _replica(since) as file:
            yield file
    elif name.endswith(".gz"):
        with gzip.open(name) as file:
            yield file  # type: ignore[misc]  # typed as a union, of which this is the binary one
    else:
        with Path(name).open("rb") as plain:
            yield plain


@contextmanager
def _replica(since: float | None) -> Iterator[IO[bytes]]:
    command = ["docker", "compose", "logs", "--no-log-prefix", "--no-color"]
    if since is not None:
        command += ["--since", str(int(since))]
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen([*command, "nginx"], stdout=subprocess.PIPE, stderr=errors) as process,
    ):
        assert process.stdout is not None  # noqa: S101 - for the type checker
        try:
            yield process.stdout
        except BaseException:
            process.kill()
            raise
        if process.wait():
            errors.seek(0)
            reason = errors.read().decode(errors="replace").strip() or "no reason given"
            raise LogSourceError(
                f"the replica's log: {reason.splitlines()[-1]}; is it up (make up)?"
            )
