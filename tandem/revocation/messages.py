"""The messages that make the workers look at once, by the site's channel layer."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import async_to_sync

logger = logging.getLogger(__name__)

GROUP = "tandem.revocation"
AGAIN_SECONDS = 1.0


def _layer() -> Any:
    """Return the site's channel layer; ``None`` where there is none."""
    try:
        from channels.layers import get_channel_layer
    except ImportError:
        return None
    return get_channel_layer()


def tell(message: dict[str, Any]) -> None:
    """Send ``message`` to all workers.  A lost one costs the seconds to their next sweep."""
    layer = _layer()
    if layer is None:
        return
    try:
        async_to_sync(layer.group_send)(GROUP, {"type": "tandem.revocation", **message})
    except Exception as error:  # whatever the layer raises: a login or logout must not fail by it
        logger.warning("channel layer: %s; sockets are closed by the next sweep", error)


async def listen(told: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
    """Call ``told`` with each message, until cancelled."""
    layer = _layer()
    if layer is None:
        return
    while True:
        try:
            channel = await layer.new_channel()
            await layer.group_add(GROUP, channel)
            try:
                while True:
                    await told(await layer.receive(channel))
            finally:
                with contextlib.suppress(Exception):
                    await layer.group_discard(GROUP, channel)
        except Exception as error:
            logger.warning("channel layer: %s; subscribing again", error)
            await asyncio.sleep(AGAIN_SECONDS)
