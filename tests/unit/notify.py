"""The notification server in the test's own event loop, on a Unix socket."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from websockets.asyncio.client import ClientConnection, unix_connect
from websockets.exceptions import ConnectionClosed

from notifications.events import event_of
from notifications.hub import Hub, in_thread
from notifications.server import NotificationServer
from tests.machine import HANG_SECONDS
from tokens.tokens import token_for


class Wire:
    """What Redis is in production; ``cut``: it is away."""

    def __init__(self) -> None:
        self.cut = False
        self._messages: asyncio.Queue[Any] = asyncio.Queue()

    async def __call__(self) -> AsyncIterator[Any]:
        yield None
        while True:
            yield await self._messages.get()

    def publish(self, entry: LogEntry) -> None:
        if not self.cut:
            self._messages.put_nowait(json.dumps(event_of(entry)).encode())

    def noise(self, payload: bytes) -> None:
        self._messages.put_nowait(payload)


class Running:
    """A server that runs, and ways to speak to it."""

    def __init__(self, path: Path, wire: Wire) -> None:
        self.path, self.wire = path, wire
        self.stop = asyncio.Event()
        self.hub = Hub(wire, in_thread)
        self.server = NotificationServer(self.hub, in_thread)

    def open(self, path: str = "/ws/notifications/", **options: Any) -> unix_connect:
        options.setdefault("origin", settings.ORIGINS[0])
        return unix_connect(str(self.path), f"ws://localhost{path}", **options)

    async def admit(
        self, user: Any, session: str | None = None, **options: Any
    ) -> ClientConnection:
        """Return a socket that has introduced itself and was greeted."""
        client = await self.open(**options)
        await client.send(await database_sync_to_async(token_for)(user, session))
        assert json.loads(await client.recv())["user"] == user.get_username()
        return client

    async def change(self, user: Any, thing: Any) -> LogEntry:
        """Log a change of ``thing`` in the admin, and publish it."""
        entry = await database_sync_to_async(log)(user, thing)
        self.wire.publish(entry)
        return entry

    async def ask(self, method: str, path: str, *headers: str) -> tuple[int, str, str]:
        """Return status, headers and body of an answer."""
        reader, writer = await asyncio.open_unix_connection(str(self.path))
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *headers]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
        writer.close()
        return int(head.split()[1]), head, body


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Running]:
    """Run a server; stop it, as SIGTERM would, at the end."""
    path = folder / "n.sock"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    listener.setblocking(False)
    run = Running(path, Wire())
    task = asyncio.create_task(run.server.run(listener, run.stop))
    await asyncio.sleep(0)
    await run.hub.ready.wait()
    try:
        yield run
    finally:
        run.stop.set()
        await task


def log(user: Any, thing: Any) -> LogEntry:
    """Log a change of ``thing`` as the admin does."""
    return LogEntry.objects.create(
        user=user,
        content_type=ContentType.objects.get_for_model(thing),
        object_id=str(thing.pk),
        object_repr=str(thing),
        action_flag=CHANGE,
        change_message='[{"changed": {"fields": ["X"]}}]',
    )


async def silent(client: ClientConnection, seconds: float = 0.3) -> bool:
    """Tell whether nothing comes."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await client.recv()
            return False
    return True


async def heard(client: ClientConnection) -> list[str | bytes]:
    """Return everything that comes until the close."""
    found: list[str | bytes] = []
    with suppress(ConnectionClosed):
        async with asyncio.timeout(HANG_SECONDS):
            while True:
                found.append(await client.recv())
    return found


async def ended(client: ClientConnection) -> tuple[int | None, str | None]:
    """Return code and reason of the close that comes."""
    async with asyncio.timeout(HANG_SECONDS):
        await client.wait_closed()
    return client.close_code, client.close_reason
