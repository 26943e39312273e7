"""Tell every process of an admin change, once it is committed."""

from __future__ import annotations

import json
import logging
from functools import cache, partial
from typing import Any

import redis
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.db import transaction
from redis.backoff import NoBackoff
from redis.retry import Retry

from notifications.events import ENTRIES, event_of

logger = logging.getLogger(__name__)

# Whoever saves in the admin waits for Redis no longer than this, twice.
REDIS_SECONDS = 0.4


def uses_redis() -> bool:
    """Tell whether there is a Redis: `make dev` has none."""
    layer = settings.CHANNEL_LAYERS["default"]["BACKEND"]
    return bool(layer != "channels.layers.InMemoryChannelLayer")


@cache
def _client() -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=REDIS_SECONDS,
        socket_connect_timeout=REDIS_SECONDS,
        # Once: a kept connection may be of before a restart of Redis.
        retry=Retry(NoBackoff(), 1),
    )


def publish(channel: str, message: dict[str, Any]) -> None:
    """Publish; Redis being away is no error: what matters is read from the database."""
    if not uses_redis():
        return
    try:
        _client().publish(channel, json.dumps(message))
    except (redis.RedisError, OSError) as error:
        logger.warning("notification not published: %s", type(error).__name__)


def publish_entry(sender: Any, instance: LogEntry, created: bool, **kwargs: Any) -> None:
    """Publish a new entry when its transaction commits: ``post_save`` of ``LogEntry``.

    Entries that the admin writes in bulk send no signal; the sweep of ``notifications.hub``
    finds them.
    """
    if created and not kwargs.get("raw"):
        transaction.on_commit(partial(_publish_entry, instance), robust=True)


def _publish_entry(entry: LogEntry) -> None:
    publish(ENTRIES, {**event_of(entry)})
