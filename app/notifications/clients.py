"""The sockets of this process, and who of them is told what."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError
from websockets.asyncio.server import ServerConnection, broadcast

from notifications.events import Event
from notifications.hub import Database
from notifications.permissions import viewers
from tandem.facts import SERVICE_RESTART, TRY_AGAIN_LATER
from tandem.revocation.watch import Entry, Watch

logger = logging.getLogger(__name__)

RETRY_SECONDS = 1.0  # while the database is away
# A client that does not read: so many bytes may wait for it in this process.  A bulk
# deletion of some hundred objects fits.
WRITE_LIMIT_BYTES = 256 * 1024
CLOSE_SECONDS = 5.0  # for the client to answer a close frame


async def close(connection: ServerConnection, code: int, reason: str) -> None:
    """Close, and wait for the client's answer a while; one that does not read is cut off."""
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await connection.close(code, reason)
    except TimeoutError:
        connection.transport.abort()


@dataclass(eq=False)
class Client:
    """A socket whose user is known."""

    connection: ServerConnection
    user: Any  # primary key
    rights: tuple[Any, ...]  # at the login; ``tandem.revocation.watch.rights``
    session: str | None  # key of the session that it ends with
    _closing: asyncio.Task[None] | None = None

    def end(self, code: int, reason: str) -> None:
        """Close the socket, of a login that has ended or a client that is too slow.

        Nobody waits for it.  Changed permissions end nothing: each change asks for them anew.
        """
        if self._closing is None and code != SERVICE_RESTART:
            self._closing = asyncio.create_task(close(self.connection, code, reason))


class Clients:
    """Listens to the hub, asks the database who may know, and tells those."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._watch = Watch(database)
        self._logins: dict[Client, Entry] = {}
        self._of: dict[Any, set[Client]] = defaultdict(set)  # by user
        self._events: deque[Event] = deque()
        self._come = asyncio.Event()

    def add(self, client: Client) -> None:
        """Tell ``client`` of what its user may see, from now on and while the login lasts."""
        self._of[client.user].add(client)
        self._logins[client] = Entry(client, client.user, client.rights, client.session)
        self._watch.add(self._logins[client])

    def discard(self, client: Client) -> None:
        """Forget ``client``; does nothing when it is not known."""
        if entry := self._logins.pop(client, None):
            self._watch.discard(entry)
        clients = self._of.get(client.user)
        if clients is not None:
            clients.discard(client)
            if not clients:
                del self._of[client.user]

    def on_event(self, event: Event) -> None:
        """Take a change from the hub."""
        self._events.append(event)
        self._come.set()

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
                client.end(TRY_AGAIN_LATER, "too slow")
