"""Server-Sent Events: one-way push over plain HTTP, from an async view."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse, JsonResponse

from notifications.events import events_after
from notifications.hub import in_thread
from notifications.permissions import visible_to
from notifications.subscription import Subscription
from tandem.identity import identity
from tandem.streams import Event, EventStream, last_event_id

RESUMED = 200  # changes that a client which comes back gets at most; the newest


async def ticker(request: HttpRequest) -> EventStream:
    """Send the time each second; a browser that comes back goes on counting."""

    async def ticks(tick: int) -> AsyncIterator[Event]:
        while True:
            tick += 1
            now = datetime.now(UTC).isoformat()
            yield tick, {"tick": tick, "time": now, "worker": identity()["upstream"]}
            await asyncio.sleep(1)

    return EventStream(ticks(last_event_id(request) or 0))


async def notifications(request: HttpRequest) -> HttpResponse | EventStream:
    """Send admin changes as they happen, to whoever may see them at that moment."""
    user = await request.auser()
    if not user.is_authenticated:
        return JsonResponse({"error": "log-in", "detail": "Log in first."}, status=401)

    async def changes() -> AsyncIterator[Event]:
        async with Subscription() as live:
            resumed = set()
            if (last := last_event_id(request)) is not None:
                missed = await in_thread(events_after, last, RESUMED)
                kinds = await in_thread(visible_to, user, [e["content_type_id"] for e in missed])
                for event in missed:
                    resumed.add(event["id"])
                    if event["content_type_id"] in kinds:
                        yield event["id"], event
            async for event in live:
                kind = event["content_type_id"]
                if event["id"] not in resumed and await in_thread(visible_to, user, [kind]):
                    yield event["id"], event

    return EventStream(changes())
