"""Tell every socket of a room, on every worker, of a new message."""

from __future__ import annotations

import logging
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


def group(room: str) -> str:
    """Return the channel-layer group of ``room``."""
    return f"chat.{room}"


async def announce(room: str, message: dict[str, Any]) -> None:
    """Send a stored message to the room's group.

    Redis being away is no error for the sender: the message is stored, and every
    worker finds it there (``chat.feed``).
    """
    await _tell(room, {"type": "chat.message", "message": message})


async def announce_typing(room: str, user: str) -> None:
    """Tell the room that ``user`` is typing."""
    await _tell(room, {"type": "chat.typing", "user": user})


async def _tell(room: str, event: dict[str, Any]) -> None:
    try:
        await get_channel_layer().group_send(group(room), event)
    except (RedisError, OSError) as error:
        logger.warning("channel layer: %s; the sweep will deliver", error)


announce_from_sync = async_to_sync(announce)
