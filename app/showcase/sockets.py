"""S1: WebSocket views in plain Django, at addresses of the ordinary URLconf."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from tandem.identity import identity
from tandem.websocket import WebSocket


async def echo(socket: WebSocket) -> None:
    """Send everything back as it came."""
    await socket.accept()
    async for message in socket:
        if isinstance(message, str):
            await socket.send_text(message)
        else:
            await socket.send_bytes(message)


async def hello(socket: WebSocket) -> None:
    """Say hello and close."""
    await socket.accept()
    await socket.send_text("hello")
    await socket.close()


async def greet(socket: WebSocket) -> None:
    """Greet by name and close."""
    await socket.accept()
    name = socket.user.get_username() or "stranger"
    await socket.send_json({"hello": name, "worker": identity()["upstream"]})
    await socket.close()


async def ticker(socket: WebSocket) -> None:
    """Send the time each second."""
    await socket.accept()
    tick = 0
    while True:
        tick += 1
        now = datetime.now(UTC).isoformat()
        await socket.send_json({"tick": tick, "time": now, "worker": identity()["upstream"]})
        await asyncio.sleep(1)
