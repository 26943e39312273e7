"""What is told of an admin change, and how changes are read from the database.

The database is the truth.  What goes through Redis is the same, only sooner.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TypedDict

from django.contrib.admin.models import LogEntry
from django.db.models import Max

# The address of their sockets.
SOCKETS = "/ws/notifications/"

# The Redis pub/sub channel; what it carries is an Event as JSON.
ENTRIES = "tandem:notifications"


class Event(TypedDict):
    """One change, as sockets carry it."""

    id: int
    object: str
    message: str
    timestamp: str
    user: str
    content_type_id: int | None
    object_id: str | None


def event_of(entry: LogEntry) -> Event:
    """Return what is told of ``entry``."""
    return {
        "id": entry.pk,
        "object": entry.object_repr,
        # A deletion has no message of its own.
        "message": str(entry.get_change_message() or entry.get_action_flag_display()),
        "timestamp": entry.action_time.isoformat(),
        "user": entry.user.get_username(),
        "content_type_id": entry.content_type_id,
        "object_id": entry.object_id,
    }


def newest_id() -> int:
    """Return the id of the newest entry; 0: there is none."""
    return LogEntry.objects.aggregate(newest=Max("pk"))["newest"] or 0


def ids_after(after: int, limit: int) -> list[int]:
    """Return up to ``limit`` ids of entries that follow ``after``, lowest first."""
    found = LogEntry.objects.filter(pk__gt=after).order_by("pk")
    return list(found.values_list("pk", flat=True)[:limit])


def events_with(ids: Collection[int]) -> list[Event]:
    """Return the events with these ids, lowest first."""
    found = LogEntry.objects.filter(pk__in=ids).select_related("user").order_by("pk")
    return [event_of(entry) for entry in found]


def events_after(after: int, limit: int) -> list[Event]:
    """Return the newest ``limit`` events that follow ``after``, lowest first."""
    found = LogEntry.objects.filter(pk__gt=after).select_related("user").order_by("-pk")
    return [event_of(entry) for entry in reversed(found[:limit])]
