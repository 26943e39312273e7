"""How many sockets a user may have, and how many messages a socket may send."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from django.conf import settings

from tandem.extras import needed
from tandem.facts import TRY_AGAIN_LATER
from tandem.leases import connect, in_memory, leases, store

with needed("redis"):
    from redis.exceptions import RedisError


class SocketQuota:
    """ASGI middleware, inside the authentication: ``most`` sockets a user, on all workers together.

    One more is accepted and closed with 1013: a refused handshake cannot tell a browser why.
    Counts in ``settings.REDIS_URL``; while that is away, nobody is refused.
    """

    def __init__(self, application: Callable[..., Any], most: int) -> None:
        if most < 1:
            raise ValueError(f"SocketQuota needs at least 1 socket a user, got {most}")
        self.application = application
        self.most = most

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection."""
        user = scope.get("user")
        if scope["type"] != "websocket" or user is None or not user.is_authenticated:
            await self.application(scope, receive, send)
            return
        lease = (str(user.pk), uuid.uuid4().hex)
        if not await leases.take(store(settings.REDIS_URL, "tandem:sockets:"), lease, self.most):
            await receive()  # websocket.connect
            await send({"type": "websocket.accept"})
            reason = f"you have {self.most} sockets open already"
            await send({"type": "websocket.close", "code": TRY_AGAIN_LATER, "reason": reason})
            return
        try:
            await self.application(scope, receive, send)
        finally:
            await leases.give_back(lease)


class TokenBucket:
    """Allows ``per_second`` in the long run, and ``burst`` at once."""

    def __init__(self, per_second: float, burst: int) -> None:
        self._per_second = per_second
        self._burst = burst
        self._left = float(burst)
        self._at = time.monotonic()

    def take(self) -> bool:
        """Tell whether one more is allowed now; if so, count it."""
        now = time.monotonic()
        self._left = min(self._burst, self._left + (now - self._at) * self._per_second)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


# GCRA: KEYS[1] holds when the bucket will be full again, by Redis' own clock.  ARGV[1] seconds
# for one, ARGV[2] so many at once; returns 1 if one more is allowed.
TAKE = """
local time = redis.call('time')
local now, one = time[1] + time[2] / 1000000, tonumber(ARGV[1])
local full = math.max(tonumber(redis.call('get', KEYS[1]) or 0), now) + one
if full - now > one * ARGV[2] then return 0 end
redis.call('set', KEYS[1], string.format('%.6f', full), 'px', math.ceil((full - now) * 1000) + 1)
return 1
"""
AGAIN_SECONDS = 5.0  # after a Redis that did not answer, which is not asked meanwhile


class Rate(Protocol):
    """Allows each name so many in the long run, and so many at once."""

    async def take(self, name: object) -> bool:
        """Tell whether ``name`` may have one more now; if so, count it."""


class SharedRate:
    """Counts in Redis, for all workers together; while that is away, everything is allowed."""

    def __init__(self, url: str, per_second: float, burst: int) -> None:
        self._redis = connect(url)
        self._limits = (str(1 / per_second), str(burst))
        self._again = 0.0

    async def take(self, name: object) -> bool:
        """Tell whether ``name`` may have one more now; if so, count it."""
        if time.monotonic() < self._again:
            return True
        try:
            return bool(await self._redis.eval(TAKE, 1, f"tandem:rate:{name}", *self._limits))
        except (RedisError, OSError):
            self._again = time.monotonic() + AGAIN_SECONDS
            return True


class LocalRate:
    """Counts within one process, for development without Redis."""

    def __init__(self, per_second: float, burst: int) -> None:
        self._bucket = partial(TokenBucket, per_second, burst)
        self._buckets: dict[object, TokenBucket] = {}

    async def take(self, name: object) -> bool:
        """Tell whether ``name`` may have one more now; if so, count it."""
        if name not in self._buckets:
            self._buckets[name] = self._bucket()
        return self._buckets[name].take()


_rates: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[float, int], Rate]] = (
    WeakKeyDictionary()
)


def rate(per_second: float, burst: int) -> Rate:
    """Return the rate for the running event loop, to which its connections belong."""
    rates = _rates.setdefault(asyncio.get_running_loop(), {})
    key = (per_second, burst)
    if key not in rates:
        rates[key] = LocalRate(*key) if in_memory() else SharedRate(settings.REDIS_URL, *key)
    return rates[key]
