"""S2: ASGI's own events, without any package."""

from __future__ import annotations

from typing import Any


async def raw_ping(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer ``ping`` with ``pong!``."""
    while True:
        event = await receive()
        if event["type"] == "websocket.connect":
            await send({"type": "websocket.accept"})
        elif event["type"] == "websocket.disconnect":
            return
        elif event.get("text") == "ping":
            await send({"type": "websocket.send", "text": "pong!"})
