"""S2: live scores. One writes, many watch, everyone sees a change at once."""

from __future__ import annotations

import contextlib
from typing import Any

from channels.generic.websocket import AsyncJsonWebsocketConsumer
from redis.exceptions import RedisError

from scores.announce import group
from scores.models import Match
from tandem.consumers import DisconnectAlways


class ScoresConsumer(DisconnectAlways, AsyncJsonWebsocketConsumer):
    """One watcher of one match."""

    group: str | None = None

    async def connect(self) -> None:
        """Send the score as it is, then every change."""
        slug = self.scope["url_route"]["kwargs"]["match"]
        if not await Match.objects.filter(slug=slug).aexists():
            await self.close()
            return
        await self.accept()
        self.group = group(slug)
        await self.channel_layer.group_add(self.group, self.channel_name)
        # Read after joining: a change in between comes twice instead of never.
        await self.send_json((await Match.objects.aget(slug=slug)).as_json())

    async def score_changed(self, event: dict[str, Any]) -> None:
        """Pass a change on."""
        await self.send_json(event["score"])

    async def receive(self, text_data: str | None = None, bytes_data: Any = None) -> None:
        """Watchers have nothing to say."""

    async def disconnect(self, code: int) -> None:
        """Leave the group."""
        if self.group:
            with contextlib.suppress(RedisError, OSError):
                await self.channel_layer.group_discard(self.group, self.channel_name)
