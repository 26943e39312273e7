"""The channel layer's own part; that it carries messages, the replica's tests show."""

from __future__ import annotations

import asyncio
import threading

import msgpack
import pytest
from asgiref.sync import async_to_sync

from tandem import channel_layer
from tandem.channel_layer import PubSubChannelLayer
from tandem.revocation import messages


class Recorder(PubSubChannelLayer):
    """Notes on which loop and thread a publication would reach Redis."""

    def __init__(self) -> None:
        super().__init__(hosts=["redis://localhost:1"])
        self.calls: list[tuple[str, str, str]] = []

    def _get_layer(self):
        recorder, super_layer = self, super()._get_layer()

        class Layer:
            async def group_send(self, group, message):
                recorder.calls.append(("group", group, threading.current_thread().name))

            async def send(self, channel, message):
                recorder.calls.append(("one", channel, threading.current_thread().name))

        return super_layer if self.calls is None else Layer()


def test_synchronous_sends_share_one_background_loop():
    layer = Recorder()
    for _ in range(3):
        async_to_sync(layer.group_send)("g", {"type": "x"})
    async_to_sync(layer.send)("c", {"type": "x"})
    assert layer.calls == [
        ("group", "g", "channel-layer"),
        ("group", "g", "channel-layer"),
        ("group", "g", "channel-layer"),
        ("one", "c", "channel-layer"),
    ]


async def test_a_loop_with_subscriptions_publishes_by_itself():
    layer = Recorder()
    layer._layers[asyncio.get_running_loop()] = object()
    await layer.group_send("g", {"type": "x"})
    assert layer.calls == [("group", "g", "MainThread")]


def test_the_wire_format_is_plain_msgpack_behind_a_random_prefix():
    # Tools that publish without Channels rely on it; so does a mixed roll of versions.
    layer = PubSubChannelLayer(hosts=["redis://localhost:1"])
    message = {"type": "chat.message", "message": {"id": 1}}
    raw = layer.serialize(message)
    assert msgpack.unpackb(raw[len(raw) - len(msgpack.packb(message)) :]) == message
    assert layer.deserialize(raw) == message


def test_a_broken_connection_is_replaced_once_per_command():
    layer = PubSubChannelLayer(hosts=["redis://localhost:1"])
    (host,) = layer._kwargs["hosts"]
    assert host["address"] == "redis://localhost:1"
    assert host["retry"].get_retries() == 1


@pytest.fixture
async def hanging(unused_tcp_port: int):
    """Give the address of a Redis that takes connections and never answers."""
    held = []

    async def hold(reader, writer):
        held.append(writer)

    server = await asyncio.start_server(hold, "127.0.0.1", unused_tcp_port)
    yield f"redis://127.0.0.1:{unused_tcp_port}"
    server.close()
    for writer in held:
        writer.transport.abort()


async def test_a_redis_that_hangs_is_given_up_and_not_waited_for_again(hanging: str, monkeypatch):
    monkeypatch.setattr(channel_layer, "PUBLISH_SECONDS", 0.05)
    monkeypatch.setattr(channel_layer, "HANGS_SECONDS", 3600)
    layer = PubSubChannelLayer(hosts=[hanging])
    asked = []
    real = layer._publish_now

    async def counted(*arguments):
        asked.append(arguments)
        await real(*arguments)

    monkeypatch.setattr(layer, "_publish_now", counted)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            await layer.group_send("g", {"type": "x"})
    assert len(asked) == 1
    layer._background.loop.call_soon_threadsafe(layer._background.loop.stop)


async def test_a_login_does_not_fail_by_a_redis_that_hangs(hanging: str, settings, monkeypatch):
    monkeypatch.setattr(channel_layer, "PUBLISH_SECONDS", 0.05)
    config = {"BACKEND": "tandem.channel_layer.PubSubChannelLayer", "CONFIG": {"hosts": [hanging]}}
    settings.CHANNEL_LAYERS = {"default": config}
    await asyncio.to_thread(messages.tell, {"users": ["1"]})


def test_a_forked_child_has_a_background_loop_of_its_own(monkeypatch):
    layer = Recorder()
    async_to_sync(layer.group_send)("g", {"type": "x"})
    parents = layer._background
    monkeypatch.setattr(parents, "pid", -1)  # as a child finds it: the thread stayed behind
    async_to_sync(layer.group_send)("g", {"type": "x"})
    assert layer._background is not parents
