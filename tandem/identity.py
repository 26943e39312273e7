"""Which upstream, worker process and release answers: for pages, headers and logs.

The facts come from the unit (or container) that starts the process:
``TANDEM_UPSTREAM`` (``wsgi@1``) and ``TANDEM_RELEASE``.  ``TANDEM_IDENTITY_HEADERS=off``
keeps them out of the response headers.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any, TypedDict

from tandem.facts import RELEASE_HEADER


class Identity(TypedDict):
    """What served a request: ``{"upstream": "wsgi@1", "worker": 17, "release": "…"}``."""

    upstream: str
    worker: int
    release: str


def identity() -> Identity:
    """Return what this process is; ``worker`` is its process id (after any fork)."""
    return {
        "upstream": os.environ.get("TANDEM_UPSTREAM", "dev"),
        "worker": os.getpid(),
        "release": os.environ.get("TANDEM_RELEASE", "dev"),
    }


def headers() -> list[tuple[str, str]]:
    """Return the release as a response header, or nothing where that is switched off.

    ``X-Upstream`` comes from nginx, which knows whom it asked, whatever site that serves.
    """
    if os.environ.get("TANDEM_IDENTITY_HEADERS", "on") != "on":
        return []
    return [(RELEASE_HEADER, identity()["release"])]


def context(request: object) -> dict[str, Identity]:
    """Template context processor: ``{{ tandem.upstream }}`` and its like."""
    return {"tandem": identity()}


def wsgi_headers(application: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """Wrap a WSGI application so that every response carries the identity headers."""

    def identified(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        def start(status: str, response_headers: list[tuple[str, str]], *args: Any) -> Any:
            return start_response(status, [*response_headers, *headers()], *args)

        return application(environ, start)

    return identified


class AsgiHeaders:
    """Wrap an ASGI application so that responses and handshakes carry the identity headers."""

    EVENTS = frozenset({"http.response.start", "websocket.accept", "websocket.http.response.start"})

    def __init__(self, application: Callable[..., Any]) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection."""

        async def identified(event: dict[str, Any]) -> None:
            if event["type"] in self.EVENTS:
                extra = [(k.lower().encode(), v.encode()) for k, v in headers()]
                event = {**event, "headers": [*event.get("headers", ()), *extra]}
            await send(event)

        await self.application(scope, receive, identified)
