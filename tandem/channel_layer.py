"""The Redis pub/sub channel layer, with sends from synchronous code made cheap.

channels_redis keeps its Redis connections per event loop.  ``async_to_sync`` in a
WSGI view runs each call in an event loop of its own, so the stock layer opens and
closes a Redis connection for each message.  Here such calls go through one
long-lived loop in a background thread, and with it one kept connection; the wire
format stays channels_redis' own.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from typing import Any

from tandem.extras import needed

with needed("channels"):
    from channels_redis.pubsub import RedisPubSubChannelLayer
    from channels_redis.utils import decode_hosts
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

PUBLISH_SECONDS = 0.8  # nothing that is not realtime waits for Redis longer than a second
HANGS_SECONDS = 1.0


class _Background:
    """An event loop that runs in a daemon thread for the rest of the process."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, name="channel-layer", daemon=True).start()


class PubSubChannelLayer(RedisPubSubChannelLayer):
    """Drop-in for ``channels_redis.pubsub.RedisPubSubChannelLayer`` (same settings).

    ``async_to_sync(layer.group_send)`` from any thread keeps its Redis connection
    between calls; in an ASGI process whose loop has subscriptions nothing changes.
    A connection that broke while nobody used it is replaced on first use, so that
    the first socket after a restart of Redis is not refused.
    Raises what redis-py raises when Redis cannot be reached
    (``redis.exceptions.RedisError``).
    """

    def __init__(self, hosts: Any = None, **kwargs: Any) -> None:
        # Once: a Redis that is really away is reported at once, not waited for
        # under the lock that all sends share.
        once = [{"retry": Retry(NoBackoff(), 1), **host} for host in decode_hosts(hosts)]
        super().__init__(hosts=once, **kwargs)
        self._lock = threading.Lock()
        self._background: _Background | None = None
        self._hangs_until = 0.0  # monotonic

    async def send(self, channel: str, message: dict[str, Any]) -> None:
        """Send ``message`` to one channel."""
        await self._publish("send", channel, message)

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        """Send ``message`` to every channel of ``group``, in all processes."""
        await self._publish("group_send", group, message)

    async def _publish(self, verb: str, name: str, message: dict[str, Any]) -> None:
        """Publish, or raise ``TimeoutError`` (an ``OSError``) after ``PUBLISH_SECONDS``.

        For a while after that at once: a Redis that hangs must not cost each of a request's
        messages as much.
        """
        if time.monotonic() < self._hangs_until:
            raise TimeoutError("Redis does not answer")
        try:
            async with asyncio.timeout(PUBLISH_SECONDS):
                await self._publish_now(verb, name, message)
        except TimeoutError:
            self._hangs_until = time.monotonic() + HANGS_SECONDS
            raise

    async def _publish_now(self, verb: str, name: str, message: dict[str, Any]) -> None:
        # A loop with a layer of its own has subscribed: it belongs to an ASGI
        # server and lives as long as the process.  Any other may be gone soon.
        if asyncio.get_running_loop() in self._layers:
            await getattr(self._get_layer(), verb)(name, message)
            return

        async def publish() -> None:
            await getattr(self._get_layer(), verb)(name, message)

        publishing = asyncio.run_coroutine_threadsafe(publish(), self._background_loop())
        await asyncio.wrap_future(publishing)

    def _background_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            # A forked child inherits the object but not its thread.
            if self._background is None or self._background.pid != os.getpid():
                self._background = _Background()
            return self._background.loop
