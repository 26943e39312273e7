"""How much one user and one socket may take."""

from __future__ import annotations

import asyncio

import pytest
from django.contrib.auth.models import AnonymousUser, User

from tandem import limits
from tandem.leases import leases
from tandem.limits import SocketQuota, TokenBucket
from tests.patience import eventually
from tests.unit.communicator import Communicator


async def holds(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    await receive()


async def opened(quota: SocketQuota, user) -> Communicator:
    socket = Communicator(quota, {"type": "websocket", "user": user})
    await socket.send_input({"type": "websocket.connect"})
    assert (await socket.receive_output())["type"] == "websocket.accept"
    return socket


async def left(socket: Communicator) -> None:
    await socket.send_input({"type": "websocket.disconnect"})
    await socket.wait()


async def test_one_socket_too_many_is_told_to_come_back_later():
    quota, user = SocketQuota(holds, 2), User(pk=1)
    first, second = await opened(quota, user), await opened(quota, user)
    third = await opened(quota, user)
    close = await third.receive_output()
    assert (close["code"], close["reason"]) == (1013, "you have 2 sockets open already")
    await third.wait()
    other = await opened(quota, User(pk=2))
    await left(first)
    await left(await opened(quota, user))
    for socket in (second, other):
        await left(socket)
    assert not leases._held


async def test_strangers_and_plain_requests_are_not_counted():
    quota = SocketQuota(holds, 1)
    for socket in [await opened(quota, AnonymousUser()) for _ in range(3)]:
        await left(socket)
    http = Communicator(SocketQuota(holds, 1), {"type": "http"})
    await http.send_input({"type": "http.request"})
    await http.receive_output()


def test_a_quota_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        SocketQuota(holds, 0)


def test_a_bucket_allows_a_burst_and_then_a_rate(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(limits.time, "monotonic", lambda: now[0])
    bucket = TokenBucket(per_second=2, burst=3)
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
    now[0] = 0.5
    assert [bucket.take() for _ in range(2)] == [True, False]
    now[0] = 100
    assert sum(bucket.take() for _ in range(10)) == 3


async def test_leases_are_renewed_while_they_are_held(monkeypatch):
    from tandem import leases as module

    renewed = []

    class Store(module.LocalStore):
        async def renew(self, these):
            renewed.append(sorted(these))

    monkeypatch.setattr(module, "BEAT_SECONDS", 0.01)
    store = Store()
    await leases.take(store, ("room", "a"))
    await leases.take(store, ("room", "b"))
    await eventually(lambda: [("room", "a"), ("room", "b")] in renewed)
    await leases.give_back(("room", "a"))
    await leases.give_back(("room", "b"))
    await leases.give_back(("room", "b"))
    assert leases._task is not None
    await eventually(leases._task.done)
