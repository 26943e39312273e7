"""S3: synchronous views with django-websocket's decorators."""

from __future__ import annotations

import asyncio
import threading

import pytest
from django.contrib.auth.models import User
from django.test import AsyncClient, Client

from tandem.websocket.legacy import socket as legacy_socket
from tandem.websocket.legacy.view import threads
from tests.machine import HANG_SECONDS
from tests.patience import eventually
from tests.unit.websocket import site

pytestmark = pytest.mark.django_db(transaction=True)  # the site's middleware reads sessions


@pytest.fixture
def http(settings) -> Client:
    settings.ROOT_URLCONF = "tests.unit.websocket.site"
    return Client()


async def test_a_view_takes_messages_in_order_until_the_client_leaves(client):
    socket = client("/legacy/lower_case/")
    await socket.open()
    for word in ("ONE", "Two"):
        await socket.say(word)
        assert await socket.hear() == word.lower()
    await socket.leave()
    assert site.seen == ["lower_case ended"]


def test_the_same_view_takes_plain_http(http):
    assert http.get("/legacy/lower_case/", {"message": "LOUD"}).content == b"loud"


def test_a_view_for_sockets_alone_answers_plain_http_with_400(http):
    assert http.get("/legacy/two_at_once/").status_code == 400


async def test_messages_can_be_counted_and_read_without_waiting(client):
    socket = client("/legacy/two_at_once/")
    await socket.open()
    await socket.say("a")
    await socket.say("b")
    assert await socket.hear() == "a b"
    assert await socket.hear() == "None"
    assert await socket.closed() == (1000, "")


async def test_more_sockets_than_threads_are_told_to_come_back(client, caplog):
    first, second, third = (client("/legacy/holds/") for _ in range(3))
    await first.open()
    await second.open()
    await third.open()
    assert await third.closed() == (1013, "all threads are busy; try again later")
    assert "no thread is free" in caplog.text
    site.release.set()
    for socket in (first, second):
        assert await socket.hear() == "held"
        assert await socket.closed() == (1000, "")
    again = client("/legacy/holds/")
    await again.open()
    assert await again.hear() == "held"
    await again.wait()


async def test_a_view_may_close_and_then_finds_nothing(client):
    socket = client("/legacy/shuts/")
    await socket.open()
    assert await socket.closed() == (1000, "")
    assert site.seen == [(None, None)]


async def test_a_view_that_sends_for_ever_ends_with_its_client(client, caplog):
    socket = client("/legacy/talks/")
    await socket.open()
    assert await socket.hear() == "on and on"
    reader = asyncio.create_task(socket.wait())
    await socket.send_input({"type": "websocket.disconnect", "code": 1001})
    await reader
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_a_client_that_does_not_read_is_let_go(client, monkeypatch):
    monkeypatch.setattr(legacy_socket, "SEND_SECONDS", 0.05)
    socket = client("/legacy/talks/")
    stuck = asyncio.Event()
    application, sent = socket.application, []

    async def slow(scope, receive, send):
        async def crawl(event):
            if event["type"] == "websocket.send":
                await stuck.wait()
            sent.append(event)
            await send(event)

        await application(scope, receive, crawl)

    socket.application = slow
    await socket.open()
    assert await socket.closed() == (1013, "you do not read")


async def test_a_view_that_never_looks_at_its_socket_is_accepted_and_closed(client):
    socket = client("/legacy/silent/")
    await socket.open()
    assert await socket.closed() == (1000, "")


async def test_a_broken_view_is_a_500_or_a_1011(client, caplog):
    assert await client("/legacy/breaks/").refused() == 500
    socket = client("/legacy/breaks_late/")
    await socket.open()
    assert await socket.hear() == "well so far"
    assert (await socket.closed())[0] == 1011
    assert "broken view" in caplog.text


async def test_the_sites_middleware_and_decorators_hold_for_sockets(client):
    assert await client("/legacy/members/").refused() == 302
    user = await User.objects.acreate(username="ada")
    browser = AsyncClient()
    await browser.aforce_login(user)
    cookie = f"sessionid={browser.cookies['sessionid'].value}".encode()
    socket = client(
        "/legacy/members/", scheme="ws", headers=[(b"host", b"testserver"), (b"cookie", cookie)]
    )
    await socket.open()
    assert await socket.hear() == "ada"
    await socket.wait()


async def test_a_refusal_after_the_handshake_is_a_1008(client):
    socket = client("/legacy/forbids_late/")
    await socket.open()
    await socket.hear()
    assert await socket.closed() == (1008, "Forbidden")


async def test_a_whole_site_can_take_sockets_by_one_setting(client, settings):
    settings.MIDDLEWARE = [
        *settings.MIDDLEWARE, "tandem.websocket.legacy.WebSocketRequestMiddleware",
    ]  # fmt: skip
    assert await client("/legacy/undecorated/").refused() == 404
    settings.WEBSOCKET_ACCEPT_ALL = True
    socket = client("/legacy/undecorated/")
    await socket.open()
    assert await socket.hear() == b"bytes, too"
    assert await socket.closed() == (1000, "")
    assert (await AsyncClient().get("/legacy/undecorated/")).content == b"websocket: None"
    assert (
        await asyncio.to_thread(Client().get, "/legacy/undecorated/")
    ).content == b"websocket: None"


async def test_a_client_that_gives_up_during_the_handshake_ends_the_view(client):
    socket = client("/legacy/lower_case/")
    await socket.leave()
    assert site.seen == ["lower_case ended"]


async def test_a_slow_view_slows_its_client_down_instead_of_the_server(client, monkeypatch):
    monkeypatch.setattr(legacy_socket, "QUEUED_MESSAGES", 2)
    socket = client("/legacy/holds/")
    await socket.open()
    await socket.hear()
    for n in range(50):
        await socket.say(str(n))
    # Two wait for the view, one for room among them; the others stay with the server, and
    # so with the client.
    await eventually(lambda: socket.input_queue.qsize() <= 47)
    for _ in range(20):
        await asyncio.sleep(0)
    assert socket.input_queue.qsize() == 47
    site.release.set()
    await socket.wait()
    assert threading.active_count() < 20


async def test_a_view_that_exits_ends_its_socket_alone(client, caplog):
    assert await client("/legacy/exits/").refused() == 500
    assert "sys.exit" in caplog.text


@pytest.mark.parametrize("left", [False, True], ids=["open", "closed by the client"])
async def test_a_view_whose_server_gives_it_up_sees_the_end(client, left):
    socket = client("/legacy/lingers/")
    await socket.open()
    if left:
        await socket.send_input({"type": "websocket.disconnect", "code": 1012})
        await eventually(socket.input_queue.empty)
    socket.future.cancel()
    if not left:
        await eventually(socket.output_queue.qsize)
        assert socket.output_queue.get_nowait()["code"] == 1012
    site.release.set()
    await eventually(lambda: site.seen)
    assert site.seen == [1012]


async def test_a_view_with_many_messages_waiting_sees_the_end_too(client):
    socket = client("/legacy/hoards/")
    await socket.open()
    for n in range(50):
        await socket.say(str(n))
    # 32 wait for the view, and one for room among them.
    await eventually(lambda: socket.input_queue.qsize() == 17)
    socket.future.cancel()
    await eventually(socket.output_queue.qsize)
    assert socket.output_queue.get_nowait()["code"] == 1012
    site.release.set()
    await eventually(lambda: site.seen)
    assert site.seen == [[str(n) for n in range(32)]]


async def test_a_wait_that_the_stopping_loop_cancels_is_a_disconnect(client):
    socket = client("/legacy/lingers/")
    await socket.open()

    def waits() -> list[asyncio.Task]:
        return [t for t in asyncio.all_tasks() if "LegacySocket._wait" in repr(t.get_coro())]

    await eventually(waits)
    for task in waits():
        task.cancel()
    assert await socket.closed() == (1000, "")


async def test_a_view_may_outlive_the_loop():
    outcome = []
    begun, gate = threading.Event(), threading.Event()

    def work():
        begun.set()
        gate.wait(HANG_SECONDS)
        outcome.append("done")

    def serve():
        async def start():
            view = asyncio.create_task(threads.run(work))
            await eventually(begun.is_set)
            view.cancel()

        asyncio.run(start())

    before = threads._running
    await asyncio.to_thread(serve)
    gate.set()
    await eventually(lambda: outcome)
    assert outcome == ["done"]
    threads._running = before  # that loop will not count it down
