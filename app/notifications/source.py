"""What is published on Redis, for as long as anybody listens."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator

from django.conf import settings
from redis import asyncio as aioredis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from notifications.events import ENTRIES
from notifications.publish import uses_redis

logger = logging.getLogger(__name__)

FIRST_WAIT = 0.2  # seconds; each is drawn at random up to this, which doubles
LONGEST_WAIT = 5.0
PATIENCE = 10.0  # a connection that has been silent for so long is asked whether it lives

# An Event as JSON.  None: subscribed (again); what was published before is not known.
Message = bytes | None


async def redis_messages() -> AsyncIterator[Message]:
    """Give every message, over one connection; one that breaks is replaced."""
    wait = FIRST_WAIT
    while uses_redis():
        try:
            async for message in _one_connection():
                wait = FIRST_WAIT
                yield message
        except (RedisError, OSError) as error:
            logger.warning("notifications: %s; subscribing again", type(error).__name__)
        # At random: the processes of a site must not all come back at once.
        await asyncio.sleep(wait * random.random())  # noqa: S311 - spread, not secrecy
        wait = min(2 * wait, LONGEST_WAIT)


async def _one_connection() -> AsyncIterator[Message]:
    client = aioredis.Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=PATIENCE,
        health_check_interval=PATIENCE,
        # A connection that redis-py replaces by itself hides what was lost meanwhile.
        retry=Retry(NoBackoff(), 0),
    )
    async with client, client.pubsub() as pubsub:
        await pubsub.subscribe(ENTRIES)
        while True:
            message = await pubsub.get_message(timeout=PATIENCE)
            if message is None:
                continue
            if message["type"] == "subscribe":
                yield None
            elif message["type"] == "message":
                yield message["data"]
