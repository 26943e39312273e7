"""The notification server: ``python -m notifications.server`` (``deploy/run.sh notify``).

Listens on the socket that systemd or ``tandem.instance.listen`` has left at file descriptor 3.
docs/notifications.md describes what goes over a socket.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import socket
import sys

import django
import uvloop
from django.conf import settings
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin

from tandem import logs
from tandem.background import lasting
from tandem.drain import Departures, window_seconds
from tandem.facts import SERVICE_RESTART, TRY_AGAIN_LATER
from tandem.identity import identity
from tandem.instance.listen import FIRST_FD
from tandem.server.sockets import life_seconds, max_age_seconds

django.setup()

from django.db import DatabaseError  # noqa: E402

from notifications.admission import admit  # noqa: E402
from notifications.clients import (  # noqa: E402
    CLOSE_SECONDS,
    Client,
    Clients,
    close,
)
from notifications.events import events_after  # noqa: E402
from notifications.hub import Database, Hub, in_threads  # noqa: E402
from notifications.permissions import viewers  # noqa: E402
from notifications.requests import Requests  # noqa: E402

logger = logging.getLogger(__name__)

# A client sends one message, with a token of some fifty characters in it.
MESSAGE_LIMIT_BYTES = 4096
# Who resumes gets so many changes of before at most, the newest.
RESUME_LIMIT = 200
GREETING_SECONDS = 10.0  # to take all that


class NotificationServer:
    """Everything in one process: the listening socket, its sockets, the hub."""

    def __init__(self, hub: Hub | None = None, database: Database | None = None) -> None:
        # A change must not wait for a thousand clients who come back at once and log in.
        changes = database or in_threads(1)
        self._database = database or in_threads(max(1, settings.NOTIFY_THREADS - 1))
        self._hub = hub or Hub(database=changes)
        self._clients = Clients(changes)
        self._departures = Departures(asyncio.get_running_loop(), window_seconds())
        self._leaving: set[asyncio.Task[None]] = set()
        self._server: Server | None = None

    async def run(self, listener: socket.socket, stop: asyncio.Event) -> None:
        """Serve until ``stop`` is set, then let everybody go."""
        requests = Requests(self._database, self.move)
        self._hub.add(self._clients)
        telling = lasting("the notifications' clients", self._clients.tell)
        self._server = await serve(
            self._serve,
            sock=listener,
            process_request=requests.before,
            process_response=requests.after,
            origins=[Origin(origin) for origin in settings.ORIGINS],
            server_header=None,
            compression=None,  # a deflate context costs 40 KiB a socket
            max_size=MESSAGE_LIMIT_BYTES,
            max_queue=2,
            ping_interval=float(os.environ.get("UVICORN_WS_PING_INTERVAL", "30")),
            ping_timeout=float(os.environ.get("UVICORN_WS_PING_TIMEOUT", "90")),
            close_timeout=CLOSE_SECONDS,
        )
        try:
            await stop.wait()
        finally:
            await self._stop()
            telling.cancel()
            self._hub.remove(self._clients)

    def move(self) -> int:
        """Have each client connect anew, in its turn; return how many there are."""
        assert self._server is not None  # noqa: S101 - it has answered
        connections = list(self._server.connections)
        for connection in connections:
            self._departures.add(lambda connection=connection: self._leave(connection))
        return len(connections)

    def _leave(self, connection: ServerConnection) -> None:
        task = asyncio.create_task(close(connection, SERVICE_RESTART, "service restart"))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _stop(self) -> None:
        assert self._server is not None  # noqa: S101 - run() has made it
        self._server.close(close_connections=False)  # refuses who comes
        self.move()
        try:
            async with asyncio.timeout(window_seconds() + 2 * CLOSE_SECONDS):
                await self._server.wait_closed()
        except TimeoutError:
            logger.warning("%d sockets did not end in time", len(self._server.connections))

    async def _serve(self, connection: ServerConnection) -> None:
        try:
            admitted = await admit(connection, self._database)
            if admitted is None:
                return
            client, name, after = admitted
            self._clients.add(client)
            try:
                await self._talk(client, name, after)
            finally:
                self._clients.discard(client)
        except ConnectionClosed:
            pass

    async def _talk(self, client: Client, name: str, after: int | None) -> None:
        try:
            async with asyncio.timeout(GREETING_SECONDS):
                await self._greet(client, name, after)
        except (TimeoutError, DatabaseError):
            await close(client.connection, TRY_AGAIN_LATER, "try again later")
            return
        try:
            async with asyncio.timeout(life_seconds(max_age_seconds())):
                async for _ in client.connection:
                    pass  # a client has nothing more to say
        except TimeoutError:
            self._clients.discard(client)
            await close(client.connection, SERVICE_RESTART, "age")

    async def _greet(self, client: Client, name: str, after: int | None) -> None:
        """Say who is who; then what was missed, of which live changes may come a second time."""
        await self._hub.ready.wait()
        worker = identity()["upstream"]
        await client.connection.send(json.dumps({"user": name, "worker": worker}))
        missed = [] if after is None else await self._database(events_after, after, RESUME_LIMIT)
        seen = {}
        for kind in {event["content_type_id"] for event in missed}:
            seen[kind] = bool(await self._database(viewers, kind, [client.user]))
        for event in missed:
            if seen[event["content_type_id"]]:
                await client.connection.send(json.dumps(event))


def listening_socket() -> socket.socket:
    """Return the socket that was left for us; without one, end with a sentence."""
    if os.environ.get("LISTEN_FDS") != "1":
        sys.exit(
            "tandem: the notification server gets its socket from systemd or from "
            "'python -m tandem.instance.listen SOCKET deploy/run.sh notify'."
        )
    listener = socket.socket(fileno=FIRST_FD)
    listener.setblocking(False)
    return listener


async def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    logs.install()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await NotificationServer().run(listening_socket(), stop)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
