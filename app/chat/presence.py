"""Who is in a room: a lease for each socket, named by its user."""

from __future__ import annotations

from django.conf import settings

from tandem.leases import Lease, Store, store


def presence_store() -> Store:
    """Return where presence is kept, for the running event loop."""
    return store(settings.REDIS_URL, "chat:presence:")


def lease(room: str, user: str, socket: str) -> Lease:
    """Return the lease of one socket (its channel name)."""
    return room, f"{user}\n{socket}"


async def users(room: str) -> list[str]:
    """Return the names of those in ``room``, sorted, each once.

    Raises ``redis.exceptions.RedisError`` when Redis is away.
    """
    members = await presence_store().members(room)
    return sorted({member.partition("\n")[0] for member in members})
