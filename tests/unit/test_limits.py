"""How much one user and one socket may take."""

from __future__ import annotations

import importlib
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.test import AsyncClient

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
    await socket.send_input({"type": "websocket.disconnect", "code": 1000})
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


@pytest.mark.example
@pytest.mark.django_db(transaction=True)
async def test_the_site_gives_each_user_as_many_sockets_as_the_settings_say(monkeypatch):
    monkeypatch.setattr(settings, "SOCKETS_PER_USER", 2)
    site = importlib.reload(importlib.import_module("config.asgi")).application
    ada, eve = [await login(await User.objects.acreate(username=name)) for name in ("ada", "eve")]
    first, second = [await SitesSocket(site, ada).connected() for _ in range(2)]
    refused = await SitesSocket(site, ada).connected()
    assert (await refused.receive_output())["code"] == 1013
    await refused.wait()
    other = await SitesSocket(site, eve).connected()
    await left(first)
    again = await SitesSocket(site, ada).connected()
    await again.send_input({"type": "websocket.receive", "text": "PING"})
    assert (await again.receive_output())["text"] == "PONG"
    for socket in (second, other, again):
        await left(socket)


class SitesSocket(Communicator):
    """A socket on the example site, with a login."""

    def __init__(self, site, cookie: str) -> None:
        headers = [(b"cookie", cookie.encode()), (b"origin", settings.ORIGINS[0].encode())]
        scope = {"type": "websocket", "path": "/ws/ping/", "query_string": b"", "headers": headers}
        super().__init__(site, scope)

    async def connected(self) -> SitesSocket:
        await self.send_input({"type": "websocket.connect"})
        assert (await self.receive_output())["type"] == "websocket.accept"
        return self


async def login(user: User) -> str:
    browser = AsyncClient()
    await browser.aforce_login(user)
    return f"sessionid={browser.cookies['sessionid'].value}"


def test_a_quota_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        SocketQuota(holds, 0)


def test_a_bucket_allows_a_burst_and_then_a_rate(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(limits, "time", SimpleNamespace(monotonic=lambda: now[0]))
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
