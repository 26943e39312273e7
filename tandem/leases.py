"""Who holds what, across all workers: members of named sets, each renewed or forgotten.

A client that loses power never says good-bye, and a killed worker speaks for nobody: a
member that has not been renewed for two beats counts as gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import time
from collections import defaultdict
from collections.abc import Iterable
from typing import Protocol
from weakref import WeakKeyDictionary

from django.conf import settings
from redis import asyncio as aioredis
from redis.exceptions import RedisError

BEAT_SECONDS = 20.0
GONE_AFTER_SECONDS = 50.0  # two beats may be lost

Lease = tuple[str, str]  # set, member

# Adds a member unless the set has reached its size; returns 1 if it is in.
TAKE = """
redis.call('zremrangebyscore', KEYS[1], '-inf', ARGV[1])
if redis.call('zcard', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('zadd', KEYS[1], ARGV[3], ARGV[4])
redis.call('expire', KEYS[1], ARGV[5])
return 1
"""


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


class RedisStore:
    """A sorted set for each set, scored by the time of the last beat.

    Every method raises ``redis.exceptions.RedisError`` when Redis is away.
    """

    def __init__(self, url: str, prefix: str) -> None:
        self._redis = aioredis.Redis.from_url(url, decode_responses=True)
        self._prefix = prefix

    async def take(self, lease: Lease, most: int) -> bool:
        """Add a member, unless the set has ``most`` already."""
        now, (name, member) = time.time(), lease
        taken = await self._redis.eval(
            TAKE, 1, self._prefix + name, str(now - GONE_AFTER_SECONDS), str(most), str(now),
            member, str(int(GONE_AFTER_SECONDS) + 1),
        )  # fmt: skip
        return bool(taken)

    async def renew(self, leases: Iterable[Lease]) -> None:
        """Note that these are held still, in one round trip."""
        now = time.time()
        async with self._redis.pipeline(transaction=False) as pipe:
            for name, member in leases:
                pipe.zadd(self._prefix + name, {member: now})
                pipe.expire(self._prefix + name, int(GONE_AFTER_SECONDS) + 1)
            await pipe.execute()

    async def give_back(self, lease: Lease) -> None:
        """Take a member out; the last one takes the set with it."""
        await self._redis.zrem(self._prefix + lease[0], lease[1])

    async def members(self, name: str) -> list[str]:
        """Return the members of a set, sorted."""
        async with self._redis.pipeline(transaction=False) as pipe:
            # What killed workers left behind.
            pipe.zremrangebyscore(self._prefix + name, "-inf", time.time() - GONE_AFTER_SECONDS)
            pipe.zrange(self._prefix + name, 0, -1)
            _, members = await pipe.execute()
        return sorted(members)


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
        layer = getattr(settings, "CHANNEL_LAYERS", {}).get("default", {}).get("BACKEND")
        local = layer == "channels.layers.InMemoryChannelLayer"
        stores[url, prefix] = LocalStore() if local else RedisStore(url, prefix)
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
            # In a context of its own: it outlives the socket that starts it.
            context = contextvars.Context()
            self._task = asyncio.create_task(self._beat(), context=context)
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
