"""The sockets of this process, and who of them is told what."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.db import DatabaseError
from websockets.asyncio.server import ServerConnection, broadcast

from notifications.events import Event
from notifications.hub import Database
from notifications.permissions import viewers

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 3.0
RETRY_SECONDS = 1.0  # while the database is away
# A client that does not read: so many bytes may wait for it in this process.  A bulk
# deletion of some hundred objects fits.
WRITE_LIMIT_BYTES = 256 * 1024
CLOSE_SECONDS = 5.0  # for the client to answer a close frame

NOT_LOGGED_IN = 4401
TRY_AGAIN_LATER = 1013


@dataclass(eq=False)
class Client:
    """A socket whose user is known."""

    connection: ServerConnection
    user: Any  # primary key
    session_hash: str  # changes with the password


def session_hashes(users: Iterable[Any]) -> dict[Any, str]:
    """Return the present hash of each of ``users`` (primary keys) that is active."""
    found = get_user_model().objects.filter(pk__in=list(users), is_active=True)
    return {user.pk: user.get_session_auth_hash() for user in found}


async def close(connection: ServerConnection, code: int, reason: str) -> None:
    """Close, and wait for the client's answer a while; one that does not read is cut off."""
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await connection.close(code, reason)
    except TimeoutError:
        connection.transport.abort()


class Clients:
    """Listens to the hub, asks the database who may know, and tells those."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._of: dict[Any, set[Client]] = defaultdict(set)  # by user
        self._events: deque[Event] = deque()
        self._come = asyncio.Event()
        self._closing: set[asyncio.Task[None]] = set()

    def add(self, client: Client) -> None:
        """Tell ``client`` of what its user may see, from now on."""
        self._of[client.user].add(client)

    def discard(self, client: Client) -> None:
        """Forget ``client``; does nothing when it is not known."""
        clients = self._of.get(client.user)
        if clients is not None:
            clients.discard(client)
            if not clients:
                del self._of[client.user]

    def on_event(self, event: Event) -> None:
        """Take a change from the hub."""
        self._events.append(event)
        self._come.set()

    def on_logout(self, user: Any) -> None:
        """Close the sockets of a user who has logged out; pages still logged in come back."""
        for client in list(self._of.get(user, ())):
            self.end(client, NOT_LOGGED_IN, "logged out")

    def end(self, client: Client, code: int, reason: str) -> None:
        """Close a client's socket; nobody waits for it."""
        self.discard(client)
        task = asyncio.create_task(close(client.connection, code, reason))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def tell(self) -> None:
        """Tell of each change those who may see it now, for ever."""
        while True:
            await self._come.wait()
            self._come.clear()
            while self._events:
                try:
                    await self._tell_next()
                except DatabaseError as error:
                    logger.warning("who may see a change? %s", type(error).__name__)
                    await asyncio.sleep(RETRY_SECONDS)

    async def _tell_next(self) -> None:
        """Ask once for all changes in a row that are of one kind: a bulk deletion is many."""
        kind = self._events[0]["content_type_id"]
        row = []
        for event in self._events:
            if event["content_type_id"] != kind:
                break
            row.append(event)
        users = await self._database(viewers, kind, list(self._of)) if self._of else set()
        for event in row:
            self._events.popleft()
            self._send(event, users)
            await asyncio.sleep(0)  # what was written goes out

    def _send(self, event: Event, users: set[Any]) -> None:
        clients = [client for user in users for client in self._of.get(user, ())]
        broadcast([client.connection for client in clients], json.dumps(event))
        for client in clients:
            waiting = client.connection.transport.get_write_buffer_size()
            if waiting > WRITE_LIMIT_BYTES:
                logger.info("a client does not read (%d bytes wait): closing it", waiting)
                self.end(client, TRY_AGAIN_LATER, "too slow")

    async def sweep(self) -> None:
        """Close the sockets of whoever may not log in any more, for ever."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            if not self._of:
                continue
            asked = [client for clients in self._of.values() for client in clients]
            try:
                hashes = await self._database(session_hashes, list(self._of))
            except DatabaseError as error:
                logger.warning("who is still active? %s", type(error).__name__)
                continue
            for client in asked:
                if hashes.get(client.user) != client.session_hash:
                    self.end(client, NOT_LOGGED_IN, "no longer logged in")
