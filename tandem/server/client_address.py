"""The address of the client, where the server is asked by nginx."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any


def wsgi(application: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """Return ``application`` with the client's ``REMOTE_ADDR``.

    Gunicorn gives the address of its peer, and to a Unix socket that is ``""``, which code
    that counts by addresses refuses.  Uvicorn gives what nginx says in X-Forwarded-For, where
    nobody else can reach it, and so do we: a site sees the same on both sides.
    """

    def addressed(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        said = environ.get("HTTP_X_FORWARDED_FOR", "").partition(",")[0].strip()
        if said:
            environ["REMOTE_ADDR"] = said
        return application(environ, start_response)

    return addressed
