"""What the server says to a request before, or instead of, a socket."""

from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from notifications.events import SOCKETS
from notifications.hub import Database
from tandem.health.checks import live, ready
from tandem.identity import headers
from tandem.server.reconnect import PATH as MOVE
from tandem.server.rfc6455 import offer_version


class Requests:
    """``process_request`` and ``process_response`` of the server.

    ``move`` closes every socket in its turn and returns how many there are.
    """

    def __init__(self, database: Database, move: Callable[[], int]) -> None:
        self._database = database
        self._move = move

    async def before(self, connection: ServerConnection, request: Request) -> Response | None:
        """Answer what is no socket; ``None``: go on with the handshake."""
        path = request.path.partition("?")[0]
        asked = (request.method, path)
        if path == SOCKETS:
            return None
        if asked == ("GET", "/health/live/"):
            return _json(connection, *live())
        if asked == ("GET", "/health/ready/"):
            return _json(connection, *await self._database(ready))
        # As in tandem.server.reconnect: what comes through nginx always has the header.
        if asked == ("POST", MOVE) and "X-Forwarded-For" not in request.headers:
            return _json(connection, HTTPStatus.ACCEPTED, {"moving": self._move()})
        return _json(connection, HTTPStatus.NOT_FOUND, {"error": "not-found"})

    def after(self, connection: ServerConnection, request: Request, response: Response) -> None:
        """Say which release answers, and to another version of the protocol, which is ours."""
        offer_version(request, response)
        for name, value in headers():
            response.headers[name] = value


def _json(connection: ServerConnection, status: int, body: dict[str, Any]) -> Response:
    response = connection.respond(status, json.dumps(body) + "\n")
    del response.headers["Content-Type"]
    response.headers["Content-Type"] = "application/json"
    response.headers["Cache-Control"] = "no-store"
    return response
