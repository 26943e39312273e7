"""The middleware that every WebSocket of an ASGI process passes."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
from asgiref.sync import sync_to_async

from tandem.asgi import serve
from tandem.server import sockets
from tandem.server.sockets import (
    AGE_JITTER,
    SERVICE_RESTART,
    SocketAge,
    SocketThreads,
    life_seconds,
)
from tests.machine import HANG_SECONDS
from tests.patience import eventually
from tests.unit.communicator import Communicator

SCOPE = {"type": "websocket", "path": "/"}


def communicator(application) -> Communicator:
    return Communicator(application, SCOPE)


async def run(application) -> None:
    """Serve one socket to its end."""
    await communicator(application).wait()


async def test_calls_of_one_socket_stay_in_order():
    done: list[int] = []

    async def application(scope, receive, send):
        def note(number: int) -> None:
            time.sleep(0.01 * (3 - number))
            done.append(number)

        await asyncio.gather(*(sync_to_async(note)(n) for n in range(3)))

    await run(SocketThreads(application, 4))
    assert done == [0, 1, 2]


async def test_slow_calls_of_one_socket_delay_no_other():
    barrier = threading.Barrier(3, timeout=HANG_SECONDS)  # broken unless three threads meet

    met: list[int] = []

    async def application(scope, receive, send):
        met.append(await sync_to_async(barrier.wait)())

    served = SocketThreads(application, 3)
    await asyncio.gather(*(run(served) for _ in range(3)))
    barrier.abort()  # whoever waits still
    assert sorted(met) == [0, 1, 2]


async def test_a_slow_call_of_one_socket_delays_no_other_of_a_served_site(monkeypatch):
    monkeypatch.delenv("ASGI_THREADS", raising=False)
    slow_began, quick_ended = threading.Event(), threading.Event()
    order: list[str] = []

    def slow() -> None:
        slow_began.set()
        assert quick_ended.wait(HANG_SECONDS), "the other socket waits for this one"
        order.append("slow")

    def quick() -> None:
        order.append("quick")
        quick_ended.set()

    async def application(scope, receive, send):
        await sync_to_async(slow if scope["path"] == "/slow/" else quick)()

    site = serve(application)

    async def ask(path: str) -> None:
        scope = {**SCOPE, "path": path, "headers": [], "client": None}
        await Communicator(site, scope).wait()

    waiting = asyncio.create_task(ask("/slow/"))
    await eventually(slow_began.is_set)
    await ask("/quick/")
    await waiting
    assert order == ["quick", "slow"]


async def test_no_more_threads_than_allowed():
    seen: set[int] = set()

    async def application(scope, receive, send):
        def work() -> None:
            time.sleep(0.01)
            seen.add(threading.get_ident())

        await sync_to_async(work)()

    served = SocketThreads(application, 2)
    await asyncio.gather(*(run(served) for _ in range(10)))
    assert len(seen) <= 2


async def test_http_passes_untouched():
    scopes = []

    async def application(scope, receive, send):
        scopes.append((scope["type"], receive, send))

    for middleware in (SocketThreads(application, 1), SocketAge(application, 1)):
        await middleware({"type": "http"}, "receive", "send")
    assert scopes == [("http", "receive", "send")] * 2


@pytest.mark.parametrize("make", [lambda: SocketThreads(run, 0), lambda: SocketAge(run, 0)])
def test_a_senseless_size_is_refused(make):
    with pytest.raises(ValueError, match="got 0"):
        make()


async def test_an_old_socket_is_closed_so_that_its_client_comes_back():
    ended = asyncio.Event()

    async def application(scope, receive, send):
        assert (await receive())["type"] == "websocket.connect"
        await send({"type": "websocket.accept"})
        event = await receive()
        assert event["type"] == "websocket.disconnect"
        assert event["code"] == SERVICE_RESTART
        ended.set()

    socket = communicator(SocketAge(application, 0.05))
    await socket.send_input({"type": "websocket.connect"})
    assert (await socket.receive_output())["type"] == "websocket.accept"
    assert (await socket.receive_output())["code"] == SERVICE_RESTART
    await asyncio.wait_for(ended.wait(), HANG_SECONDS)
    await socket.wait()


async def test_an_application_that_only_sends_is_ended_too():
    async def application(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        while True:
            await send({"type": "websocket.send", "text": "tick"})
            await asyncio.sleep(0.01)

    socket = communicator(SocketAge(application, 0.05))
    await socket.send_input({"type": "websocket.connect"})
    with pytest.raises(OSError, match="age limit"):
        await socket.wait()


def test_sockets_opened_together_do_not_all_end_together():
    lives = [life_seconds(100) for _ in range(40)]
    assert all(100 * (1 - AGE_JITTER) <= life <= 100 for life in lives)
    assert max(lives) - min(lives) > 1


async def test_a_sockets_age_is_drawn_for_each(monkeypatch):
    drawn: list[float] = []
    monkeypatch.setattr(sockets, "life_seconds", lambda most: drawn.append(most) or 0.01)

    async def application(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        await receive()

    aged = SocketAge(application, 0.5)
    for _ in range(2):
        socket = communicator(aged)
        await socket.send_input({"type": "websocket.connect"})
        await socket.wait()
    assert drawn == [0.5, 0.5]
