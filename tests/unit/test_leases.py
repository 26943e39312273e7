"""Leases while Redis is away: nothing is refused and nobody is asked to leave."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from redis.exceptions import ConnectionError as RedisIsAway

from tandem import leases as module
from tandem.leases import Lease, Leases


class Away:
    """A store whose Redis does not answer."""

    async def take(self, lease: Lease, most: int) -> bool:
        raise RedisIsAway

    async def renew(self, leases: Iterable[Lease]) -> None:
        raise RedisIsAway

    async def give_back(self, lease: Lease) -> None:
        raise RedisIsAway

    async def members(self, name: str) -> list[str]:
        raise RedisIsAway


@pytest.mark.parametrize("most", [None, 1])
async def test_while_redis_is_away_a_lease_is_held_and_given_back(most: int | None):
    held = Leases()
    for member in ("a", "b"):
        assert await held.take(Away(), ("room", member), most)
    for member in ("a", "b"):
        await held.give_back(("room", member))
    assert not held._held


async def test_redis_is_told_the_size_and_how_long_a_beat_counts():
    asked = []

    class Redis:
        async def eval(self, script: str, keys: int, *arguments: str) -> int:
            asked.append((script, keys, arguments))
            return 0

    store = object.__new__(module.RedisStore)
    store._redis, store._prefix = Redis(), "sockets:"
    assert await store.take(("7", "me"), 3) is False
    script, keys, (key, gone, most, member) = asked[0]
    assert (keys, key, most, member) == (1, "sockets:7", "3", "me")
    assert float(gone) == module.GONE_AFTER_SECONDS
    # By Redis' own clock, not by that of whoever asks.
    assert script.startswith(module.NOW)
    assert "'expire', KEYS[1], ARGV[1] + 1" in script
    # Who is gone makes room before the set is found full, and only then is one added.
    steps = ["zremrangebyscore", "zcard", ">= tonumber(ARGV[2]) then return 0", "zadd", "expire"]
    places = [script.find(step) for step in steps]
    assert -1 not in places
    assert places == sorted(places)
