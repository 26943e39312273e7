"""S2: Channels for beginners."""

from __future__ import annotations

from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer


class PingConsumer(AsyncWebsocketConsumer):
    """Answer ``PING`` with ``PONG``."""

    async def receive(self, text_data: str | None = None, bytes_data: Any = None) -> None:
        """Take one message."""
        await self.send("PONG" if text_data == "PING" else "Send PING.")
