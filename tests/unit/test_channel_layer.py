"""The channel layer's own part; that it carries messages, the replica's tests show."""

from __future__ import annotations

import asyncio
import threading

import msgpack
from asgiref.sync import async_to_sync

from tandem.channel_layer import PubSubChannelLayer


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
