"""What the site has kept of a chat room, asked after the traffic has been counted."""

from __future__ import annotations

import asyncio
import contextlib
import json

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.load.site import Site
from tests.machine import HANG_SECONDS

TRIES = 5


async def history(site: Site, room: str) -> list[tuple[int, str]]:
    """Return the messages of a room: ``[(id, text), …]``; a connection that fails is made again."""
    for _ in range(TRIES):
        with contextlib.suppress(OSError, InvalidHandshake, ConnectionClosed):
            return await _history(site, room)
        await asyncio.sleep(1)
    return await _history(site, room)


async def _history(site: Site, room: str) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    async with connect(
        f"wss://{site.host}/ws/chat/{room}/?after=0", host=site.address, port=site.port,
        ssl=site.tls, server_hostname=site.name, origin=site.origin,
        additional_headers={"Cookie": site.cookie}, open_timeout=HANG_SECONDS,
    ) as socket:  # fmt: skip
        # Answered when all that there is has been sent.
        await socket.send(json.dumps({"before": 1}))
        async with asyncio.timeout(HANG_SECONDS):
            while "history" not in (frame := json.loads(await socket.recv())):
                if "message" in frame:
                    found.append((frame["id"], frame["message"]))
    return found
