"""Whoever joins a group of the channel layer leaves it: else groups grow and sends slow down."""

from __future__ import annotations

from typing import Any

import pytest
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User

from chat.announce import group as chat_group
from scores.announce import group as scores_group
from scores.consumers import ScoresConsumer
from scores.models import Match

pytestmark = pytest.mark.django_db(transaction=True)


def members(group: str) -> int:
    """Return how many channels a group has."""
    return len(get_channel_layer().groups.get(group, {}))


async def test_the_chat_leaves_its_group_with_its_socket(chat_socket: Any):
    user = await User.objects.acreate_user("demo")
    socket = chat_socket(user, room="lobby")
    await socket.connect()
    assert members(chat_group("lobby")) == 1
    await socket.disconnect()
    assert members(chat_group("lobby")) == 0


async def test_the_scores_leave_their_group_with_their_socket():
    await Match.objects.aget_or_create(slug="final", defaults={"home": "A", "away": "B"})
    socket = WebsocketCommunicator(ScoresConsumer.as_asgi(), "/ws/scores/final/")
    socket.scope["url_route"] = {"kwargs": {"match": "final"}}
    await socket.connect()
    await socket.receive_json_from()
    assert members(scores_group("final")) == 1
    await socket.disconnect()
    assert members(scores_group("final")) == 0
