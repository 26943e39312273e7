"""What a socket of the chat is sent: each message once, in order, holes filled first."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth.models import User
from django.db import OperationalError, connection

from chat import consumers
from chat import feed as module
from chat.consumers import ChatConsumer
from chat.feed import Feed
from chat.models import Room, post
from tests.machine import HANG_SECONDS

pytestmark = pytest.mark.django_db(transaction=True)


class Reader:
    """A subscriber that notes what it is sent."""

    room = "lobby"

    def __init__(self, cursor: int) -> None:
        self.cursor = cursor
        self.got: list[int] = []
        self.heard = asyncio.Event()

    async def deliver(self, message: dict[str, Any]) -> None:
        self.got.append(message["id"])
        self.heard.set()
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
    consumer = ChatConsumer()
    consumer._outgoing = asyncio.Lock()
    consumer.cursor = 0
    sent: list[int] = []

    async def note(frame: dict[str, Any]) -> None:
        sent.append(frame["id"])

    consumer._send = note  # type: ignore[method-assign]
    await asyncio.gather(*(consumer.deliver({"id": number}) for number in numbers))
    return sent


async def test_a_sweep_that_meets_a_lost_database_goes_on(monkeypatch: pytest.MonkeyPatch):
    messages, feed, reader = await stored(2), Feed(), Reader(0)
    found, asked = module.last_numbers, []

    def flaky(rooms: list[str]) -> dict[str, int]:
        asked.append(rooms)
        if len(asked) == 1:
            raise OperationalError("the server is away")
        return found(rooms)

    monkeypatch.setattr(module, "SWEEP_SECONDS", 0.01)
    monkeypatch.setattr(module, "last_numbers", flaky)
    feed.subscribe(reader)
    async with asyncio.timeout(HANG_SECONDS):
        while reader.got != [message["id"] for message in messages]:
            await reader.heard.wait()
            reader.heard.clear()
    feed.unsubscribe(reader)


async def test_a_client_that_does_not_read_is_told_to_come_back_later(monkeypatch):
    consumer, closed = ChatConsumer(), []

    async def never(frame: object) -> None:
        await asyncio.Event().wait()

    async def close(code: int) -> None:
        closed.append(code)

    monkeypatch.setattr(consumers, "SEND_SECONDS", 0.01)
    consumer.send_json, consumer.close = never, close  # type: ignore[method-assign]
    await consumer._send({"id": 1})
    assert closed == [1013]


def test_a_message_is_numbered_under_its_rooms_lock(monkeypatch: pytest.MonkeyPatch):
    """SQLite, the unit tests' database, knows no row locks: that one is asked for is seen here."""
    locked, ask = [], Room.objects.select_for_update

    def asked() -> object:
        locked.append(connection.in_atomic_block)
        return ask()

    monkeypatch.setattr(Room.objects, "select_for_update", asked)
    post("lobby", User.objects.create_user("demo"), "hello")
    assert locked == [True]
