"""The live scores without servers: what a watcher gets, and what is left when it goes."""

from __future__ import annotations

import pytest
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer

from scores.announce import announce
from scores.consumers import ScoresConsumer
from scores.models import Match
from tests.unit.channels_socket import SocketCommunicator

pytestmark = pytest.mark.django_db(transaction=True)


async def watcher(slug: str) -> SocketCommunicator:
    socket = SocketCommunicator(ScoresConsumer.as_asgi(), f"/ws/scores/{slug}/")
    socket.scope["url_route"] = {"kwargs": {"match": slug}}
    await socket.connect()
    return socket


async def test_a_watcher_gets_the_score_and_every_change_until_it_goes():
    match = await Match.objects.acreate(slug="final")
    await match.arefresh_from_db()
    first, second = await watcher("final"), await watcher("final")
    for socket in (first, second):
        assert await socket.receive_json_from() == match.as_json()
    await first.disconnect()
    (members,) = get_channel_layer().groups.values()
    assert len(members) == 1  # nothing is sent to the one that has gone
    match.runs = 4
    await match.asave()
    await database_sync_to_async(announce)(match)
    assert (await second.receive_json_from())["runs"] == 4
    await second.disconnect()
    assert not get_channel_layer().groups
