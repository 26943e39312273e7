"""Tell the watchers of a match, on every worker."""

from __future__ import annotations

import logging

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from redis.exceptions import RedisError

from scores.models import Match

logger = logging.getLogger(__name__)


def group(slug: str) -> str:
    """Return the channel-layer group of a match."""
    return f"scores.{slug}"


def announce(match: Match) -> None:
    """Send the score to all who watch.  Redis being away is no error: it is stored."""
    message = {"type": "score.changed", "score": match.as_json()}
    try:
        async_to_sync(get_channel_layer().group_send)(group(match.slug), message)
    except (RedisError, OSError) as error:
        logger.warning("channel layer: %s; watchers of %s see it late", error, match.slug)
