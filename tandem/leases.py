"""Who holds what, across all workers: members of named sets, each renewed or forgotten.

A client that loses power never says good-bye, and a killed worker speaks for nobody: a
member that has not been renewed for two beats counts as gone.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Iterable
from itertools import islice
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from django.conf import settings

from tandem.background import lasting
from tandem.extras import needed

with needed("redis"):
    from redis import asyncio as aioredis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff
    from redis.exceptions import RedisError

BEAT_SECONDS = 20.0
GONE_AFTER_SECONDS = 50.0  # two beats may be lost
GONE = str(int(GONE_AFTER_SECONDS))

Lease = tuple[str, str]  # set, member

# Redis' own clock counts: those of the servers may differ.  KEYS[1] the set, ARGV[1] seconds
# after which a member is gone.
NOW = """
local time = redis.call('time')
local now = time[1] + time[2] / 1000000
"""
FORGET = NOW + "redis.call('zremrangebyscore', KEYS[1], '-inf', now - ARGV[1])\n"
# ARGV[2] the most members, ARGV[3] the member; returns 1 if it is in.
TAKE = (
    FORGET
    + """
if redis.call('zcard', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('zadd', KEYS[1], now, ARGV[3])
redis.call('expire', KEYS[1], ARGV[1] + 1)
return 1
"""
)
# ARGV[2] the member.
RENEW = (
    NOW
    + """
redis.call('zadd', KEYS[1], now, ARGV[2])
redis.call('expire', KEYS[1], ARGV[1] + 1)
"""
)
MEMBERS = FORGET + "return redis.call('zrange', KEYS[1], 0, -1)"
AT_ONCE = 1000
REDIS_SECONDS = 1.0  # a Redis that does not answer holds nobody up for longer


class Store(Protocol):
    """Where the leases are, for whoever uses the same store."""

    async def take(self, lease: Lease, most: int) -> bool:
        """Add a member, unless the set has ``most`` already; tell whether it is in."""

    async def renew(self, leases: Iterable[Lease]) -> None:
        """Note that these are held still."""

    async def give_back(self, lease: Lease) -> None:
        """Take a member out."""

    async def members(self, name: str) -> list[str]:
        """Return the members of a set, sorted."""


def connect(url: str) -> aioredis.Redis:
    """Return a client of Redis that keeps nobody waiting for longer than ``REDIS_SECONDS``."""
    return aioredis.Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=REDIS_SECONDS / 2,
        socket_connect_timeout=REDIS_SECONDS / 2,
        # Once: a kept connection may be of before a restart of Redis.
        retry=Retry(NoBackoff(), 1),
    )


def in_memory() -> bool:
    """Tell whether the site's channel layer is in memory: there is no Redis."""
    layer = getattr(settings, "CHANNEL_LAYERS", {}).get("default", {}).get("BACKEND")
    return bool(layer == "channels.layers.InMemoryChannelLayer")


class RedisStore:
    """A sorted set for each set, scored by the time of the last beat.

    Every method raises ``redis.exceptions.RedisError`` when Redis is away.
    """

    def __init__(self, url: str, prefix: str) -> None:
        self._redis = connect(url)
        self._prefix = prefix

    async def _call(self, script: str, name: str, *arguments: str) -> Any:
        return await self._redis.eval(script, 1, self._prefix + name, GONE, *arguments)

    async def take(self, lease: Lease, most: int) -> bool:
        """Add a member, unless the set has ``most`` already."""
        return bool(await self._call(TAKE, lease[0], str(most), lease[1]))

    async def renew(self, leases: Iterable[Lease]) -> None:
        """Note that these are held still, in one round trip for a thousand."""
        left = iter(leases)
        while some := list(islice(left, AT_ONCE)):
            async with self._redis.pipeline(transaction=False) as pipe:
                for name, member in some:
                    pipe.eval(RENEW, 1, self._prefix + name, GONE, member)
                await pipe.execute()

    async def give_back(self, lease: Lease) -> None:
        """Take a member out; the last one takes the set with it."""
        await self._redis.zrem(self._prefix + lease[0], lease[1])

    async def members(self, name: str) -> list[str]:
        """Return the members of a set, sorted; those that killed workers left are forgotten."""
        return sorted(await self._call(MEMBERS, name))


class LocalStore:
    """The same within one process, for development without Redis."""

    def __init__(self) -> None:
        self._sets: defaultdict[str, set[str]] = defaultdict(set)

    async def take(self, lease: Lease, most: int) -> bool:
        """Add a member, unless the set has ``most`` already."""
        if len(self._sets[lease[0]]) >= most:
            return False
        self._sets[lease[0]].add(lease[1])
        return True

    async def renew(self, leases: Iterable[Lease]) -> None:
        """Note that these are held."""
        for name, member in leases:
            self._sets[name].add(member)

    async def give_back(self, lease: Lease) -> None:
        """Take a member out."""
        self._sets[lease[0]].discard(lease[1])

    async def members(self, name: str) -> list[str]:
        """Return the members of a set, sorted."""
        return sorted(self._sets.get(name, ()))


_stores: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, str], Store]] = (
    WeakKeyDictionary()
)


def store(url: str, prefix: str) -> Store:
    """Return the store at ``url`` for the running event loop, to which its connections belong.

    It is a local one where the site's channel layer is in memory, so that there is no Redis.
    """
    stores = _stores.setdefault(asyncio.get_running_loop(), {})
    if (url, prefix) not in stores:
        stores[url, prefix] = LocalStore() if in_memory() else RedisStore(url, prefix)
    return stores[url, prefix]


class Leases:
    """The leases of this process: one task renews them all.

    While Redis is away nothing is refused and nobody is asked to leave.
    """

    def __init__(self) -> None:
        self._held: dict[Lease, Store] = {}
        self._task: asyncio.Task[None] | None = None

    async def take(self, store: Store, lease: Lease, most: int | None = None) -> bool:
        """Hold ``lease`` until ``give_back``; ``False``: its set has ``most`` members already."""
        with contextlib.suppress(RedisError, OSError):
            if most is None:
                await store.renew([lease])
            elif not await store.take(lease, most):
                return False
        self._held[lease] = store
        if self._task is None or self._task.done():
            self._task = lasting("the leases' beat", self._beat)
        return True

    async def give_back(self, lease: Lease) -> None:
        """Let go; does nothing when it is not held."""
        store = self._held.pop(lease, None)
        if not self._held and self._task is not None:
            self._task.cancel()
        if store is not None:
            with contextlib.suppress(RedisError, OSError):
                await store.give_back(lease)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            for store in set(self._held.values()):
                held = [lease for lease, where in self._held.items() if where is store]
                with contextlib.suppress(RedisError, OSError):
                    await store.renew(held)


leases = Leases()
