"""Who opens a socket: by session, or by a token in one of three places.

A token (``POST /accounts/socket-token/``, valid for 30 s) may come as a subprotocol
(``["tandem", "token.<token>"]``), in the first message (offer the subprotocol ``tandem``
alone, then send ``{"token": …}``) or in the query string (``?token=…``), which our own logs
leave out, but those of somebody else's proxy would keep.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async

from tokens.tokens import login_of

SUBPROTOCOL = "tandem"
PREFIX = "token."
FIRST_MESSAGE_SECONDS = 5.0


async def by_token(token: object, scope: dict[str, Any]) -> Any | None:
    """Return the user of a token, or ``None``; the socket ends with the token's login."""
    if not isinstance(token, str) or not token or len(token) > 500:
        return None
    login = await database_sync_to_async(login_of)(token)
    if login is None:
        return None
    scope["tandem.identified"](login.user, login.session)
    return login.user


async def by_handshake(scope: dict[str, Any]) -> Any | None:
    """Return the user that the handshake names, or ``None``."""
    if scope["user"].is_authenticated:
        return scope["user"]
    for offer in scope.get("subprotocols", ()):
        if offer.startswith(PREFIX):
            return await by_token(offer.removeprefix(PREFIX), scope)
    query = parse_qs(scope["query_string"].decode("latin1"))
    return await by_token(query.get("token", [""])[0], scope)


def subprotocol(scope: dict[str, Any]) -> str | None:
    """Return which of the subprotocols on offer is ours; never the one with the token."""
    return SUBPROTOCOL if SUBPROTOCOL in scope.get("subprotocols", ()) else None
