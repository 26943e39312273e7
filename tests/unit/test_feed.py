"""What a socket of the chat is sent: each message once, in order, holes filled first."""

from __future__ import annotations

from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth.models import User

from chat.consumers import ChatConsumer
from chat.feed import Feed
from chat.models import post

pytestmark = pytest.mark.django_db(transaction=True)


class Reader:
    """A subscriber that notes what it is sent."""

    room = "lobby"

    def __init__(self, cursor: int) -> None:
        self.cursor = cursor
        self.got: list[int] = []

    async def deliver(self, message: dict[str, Any]) -> None:
        self.got.append(message["id"])
        self.cursor = message["id"]


async def stored(count: int) -> list[dict[str, Any]]:
    """Store messages; return them as sockets carry them."""
    user = await User.objects.acreate_user("demo")
    made = [await database_sync_to_async(post)("lobby", user, str(n)) for n in range(count)]
    return [message.as_json() for message in made]


async def test_a_hole_is_filled_from_the_database_before_what_is_behind_it():
    messages, feed, reader = await stored(4), Feed(), Reader(1)
    feed.subscribe(reader)
    await feed.offer(reader, messages[3])  # 2 and 3 were published while nobody heard
    assert reader.got == [2, 3, 4]
    feed.unsubscribe(reader)


async def test_a_message_that_was_sent_is_not_sent_again():
    messages, feed, reader = await stored(2), Feed(), Reader(0)
    feed.subscribe(reader)
    for message in (messages[0], messages[0], messages[1], messages[0]):
        await feed.offer(reader, message)
    assert reader.got == [1, 2]
    feed.unsubscribe(reader)
    assert await delivered([1, 1, 2, 1, 3]) == [1, 2, 3]


async def delivered(numbers: list[int]) -> list[int]:
    """Return what the consumer sends of messages that are given to it at the same time."""
    import asyncio

    consumer = ChatConsumer()
    consumer._outgoing = asyncio.Lock()
    consumer.cursor = 0
    sent: list[int] = []

    async def note(frame: dict[str, Any]) -> None:
        sent.append(frame["id"])

    consumer._send = note  # type: ignore[method-assign]
    await asyncio.gather(*(consumer.deliver({"id": number}) for number in numbers))
    return sent
