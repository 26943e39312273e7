"""The first message of a socket, which says who it is."""

from __future__ import annotations

import asyncio
import json

from django.conf import settings
from django.db import DatabaseError
from websockets.asyncio.server import ServerConnection

from notifications.clients import TRY_AGAIN_LATER, Client, close
from notifications.hub import Database
from tandem.revocation.watch import rights
from tokens.tokens import login_of

FIRST_MESSAGE_SECONDS = 10.0


def parse(message: str | bytes) -> tuple[str, int | None]:
    """Return the token, and the id of the last change that the client has seen.

    The message is the token itself or ``{"token": …, "after": id}``; of anything else
    the token is empty.
    """
    if isinstance(message, bytes):
        return "", None
    if not message.startswith("{"):
        return message.strip(), None
    try:
        frame = json.loads(message)
    except (ValueError, RecursionError):
        return "", None
    token, after = frame.get("token"), frame.get("after")
    if isinstance(after, bool) or not isinstance(after, int) or not 0 <= after < 2**63:
        after = None
    return token if isinstance(token, str) else "", after


async def admit(
    connection: ServerConnection, database: Database
) -> tuple[Client, str, int | None] | None:
    """Return the client, its user's name and the id to resume after.

    ``None``: the socket has been closed.  Raises ``ConnectionClosed`` when the client goes.
    """
    try:
        async with asyncio.timeout(FIRST_MESSAGE_SECONDS):
            token, after = parse(await connection.recv())
    except TimeoutError:
        token, after = "", None
    try:
        login = await database(login_of, token) if token else None
    except DatabaseError:
        await close(connection, TRY_AGAIN_LATER, "try again later")
        return None
    if login is None:
        await close(connection, settings.NOTIFY_REFUSAL_CODE, "authentication failed")
        return None
    client = Client(connection, login.user.pk, rights(login.user), login.session)
    return client, login.user.get_username(), after
