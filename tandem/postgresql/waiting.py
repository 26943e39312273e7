"""A restart of PostgreSQL takes a second or two: whoever connects meanwhile waits for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from django.db.backends.postgresql import base

from tandem.postgresql import patience

AGAIN_SECONDS = 0.1
# What a server says that is there and will serve soon; any other FATAL is a refusal for good
# (a password, too many connections).  libpq gives no SQLSTATE of a connection that failed.
SOON = ("starting up", "shutting down", "recovery mode", "not yet accepting")

T = TypeVar("T")
# Of psycopg or of psycopg2.
OperationalError = base.Database.OperationalError  # type: ignore[attr-defined]


def patiently(connect: Callable[[], T]) -> T:
    """Return what ``connect()`` returns, called again for a while when the server is away.

    Raises ``OperationalError`` of psycopg: it stays away for longer than ``patience``, or refuses.
    """
    deadline = time.monotonic() + patience.get()
    while True:
        try:
            return connect()
        except OperationalError as error:
            said = str(error)
            refused = "FATAL" in said and not any(words in said for words in SOON)
            if refused or time.monotonic() >= deadline:
                raise
        time.sleep(AGAIN_SECONDS)
