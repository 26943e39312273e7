"""The subscription, against what speaks as much of Redis' protocol as a subscriber needs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from notifications import source
from notifications.events import ENTRIES
from tests.machine import HANG_SECONDS
from tests.patience import eventually


def bulk(*parts: bytes) -> bytes:
    """Return a RESP3 push of byte strings."""
    return b">%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts)


class FakeRedis:
    """Greets, subscribes, pushes; can be away."""

    def __init__(self) -> None:
        self.writers: set[asyncio.StreamWriter] = set()
        self.talks: set[asyncio.Task[None] | None] = set()
        self.subscribed = self.pinged = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.add(writer)
        self.talks.add(asyncio.current_task())
        with suppress(ConnectionError):
            await self.talk(reader, writer)
        self.writers.discard(writer)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            words = []
            for _ in range(int(line[1:])):
                size = int((await reader.readline())[1:])
                words.append((await reader.readexactly(size + 2))[:-2])
            if words[0].upper() == b"HELLO":
                writer.write(b"%1\r\n+proto\r\n:3\r\n")
            elif words[0].upper() == b"SUBSCRIBE":
                self.subscribed += 1
                for number, name in enumerate(words[1:], 1):
                    head = bulk(b"subscribe", name).replace(b">2", b">3", 1)
                    writer.write(head + b":%d\r\n" % number)
            elif words[0].upper() == b"PING":
                self.pinged += 1
                writer.write(b"+PONG\r\n")
            else:
                writer.write(b"+OK\r\n")

    def publish(self, channel: str, payload: bytes) -> None:
        for writer in self.writers:
            writer.write(bulk(b"message", channel.encode(), payload))

    def cut(self) -> None:
        for writer in list(self.writers):
            writer.transport.abort()


@pytest.fixture
async def fake(settings, unused_tcp_port: int) -> AsyncIterator[FakeRedis]:
    """Give a fake that the settings name."""
    redis = FakeRedis()
    server = await asyncio.start_server(redis.serve, "127.0.0.1", unused_tcp_port)
    settings.REDIS_URL = f"redis://127.0.0.1:{unused_tcp_port}/0"
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "tandem.channel_layer.PubSubChannelLayer"}}
    yield redis
    server.close()
    redis.cut()
    if redis.talks:
        await asyncio.wait(redis.talks)


async def test_messages_come_and_a_broken_subscription_is_told_and_mended(fake: FakeRedis, caplog):
    messages = source.redis_messages()
    async with asyncio.timeout(HANG_SECONDS):
        assert await anext(messages) is None
        fake.publish(ENTRIES, b"one")
        assert await anext(messages) == b"one"
        fake.cut()
        assert await anext(messages) is None  # what was published meanwhile is not known
        fake.publish(ENTRIES, b"three")
        assert await anext(messages) == b"three"
    await messages.aclose()
    assert fake.subscribed >= 2
    assert "ConnectionError; subscribing again" in caplog.text


async def test_a_silent_redis_is_asked_whether_it_lives(fake: FakeRedis, monkeypatch):
    monkeypatch.setattr(source, "PATIENCE", 0.05)
    messages = source.redis_messages()
    async with asyncio.timeout(HANG_SECONDS):
        assert await anext(messages) is None
        waiting = asyncio.ensure_future(anext(messages))
        await eventually(lambda: fake.pinged)
        fake.publish(ENTRIES, b"late")
        assert await waiting == b"late"
    await messages.aclose()


async def test_without_redis_there_is_nothing_to_hear(settings):
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    assert [message async for message in source.redis_messages()] == []
