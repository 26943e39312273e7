"""For Channels' consumers: clean up whatever happens."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from tandem.extras import needed

with needed("channels"):
    from channels.exceptions import StopConsumer

from tandem.facts import INTERNAL_ERROR


class DisconnectAlways:
    """Put before an asynchronous WebSocket consumer: ``class Chat(DisconnectAlways, Async…)``.

    Channels ends a consumer that raises without a call of its ``disconnect()``: its
    memberships, its tasks and whatever else it holds would stay.
    """

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Handle one event; if that fails, close (1011) and disconnect before the end."""
        try:
            await super().dispatch(message)  # type: ignore[misc]
        except StopConsumer:
            raise
        except Exception:
            if message["type"] != "websocket.disconnect":
                with suppress(Exception):
                    await self.close(INTERNAL_ERROR)  # type: ignore[attr-defined]
                with suppress(StopConsumer):
                    gone = {"type": "websocket.disconnect", "code": INTERNAL_ERROR}
                    await super().dispatch(gone)  # type: ignore[misc]
            raise
