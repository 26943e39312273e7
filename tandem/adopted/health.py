"""``/health/live/`` and ``/health/ready/`` of a site that has none, for nginx and the units."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from asgiref.sync import sync_to_async

from tandem.health.checks import live, ready

PATHS: dict[str, Callable[[], tuple[int, dict[str, Any]]]] = {
    "/health/live/": live,
    "/health/ready/": ready,
}


def _encoded(answer: tuple[int, dict[str, Any]]) -> tuple[int, bytes, list[tuple[str, str]]]:
    status, facts = answer
    body = json.dumps(facts).encode()
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
    ]
    return status, body, headers


def wsgi(site: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """Return ``site`` with the health endpoints before it."""

    def served(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        check = PATHS.get(environ.get("PATH_INFO", ""))
        if check is None:
            return site(environ, start_response)
        status, body, headers = _encoded(_closing(check))
        start_response(f"{status} {HTTPStatus(status).phrase}", headers)
        return [body]

    return served


def asgi(site: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``site`` with the health endpoints before it."""

    async def served(scope: Any, receive: Any, send: Any) -> None:
        check = PATHS.get(scope["path"]) if scope["type"] == "http" else None
        if check is None:
            await site(scope, receive, send)
            return
        status, body, headers = _encoded(await sync_to_async(_closing)(check))
        encoded = [(name.lower().encode(), value.encode()) for name, value in headers]
        await send({"type": "http.response.start", "status": status, "headers": encoded})
        await send({"type": "http.response.body", "body": body})

    return served


def _closing(check: Callable[[], tuple[int, dict[str, Any]]]) -> tuple[int, dict[str, Any]]:
    """Run a check as Django runs a request: connections that are broken or too old go."""
    from django.db import close_old_connections

    close_old_connections()
    try:
        return check()
    finally:
        close_old_connections()
