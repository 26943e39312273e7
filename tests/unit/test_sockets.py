"""The middleware that every WebSocket of an ASGI process passes."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator

from tandem.sockets import SERVICE_RESTART, SocketAge, SocketThreads

SCOPE = {"type": "websocket", "path": "/"}


def communicator(application) -> ApplicationCommunicator:
    return ApplicationCommunicator(application, SCOPE)


async def run(application) -> None:
    """Serve one socket to its end."""
    await communicator(application).wait(timeout=5)


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
    barrier = threading.Barrier(3, timeout=3)  # broken unless three threads meet

    async def application(scope, receive, send):
        await sync_to_async(barrier.wait)()

    served = SocketThreads(application, 3)
    await asyncio.gather(*(run(served) for _ in range(3)))


async def test_no_more_threads_than_allowed():
    seen: set[int] = set()

    async def application(scope, receive, send):
        def work() -> None:
            time.sleep(0.01)
            seen.add(threading.get_ident())

        await sync_to_async(work)()

    served = SocketThreads(application, 2)
    await asyncio.gather(*(run(served) for _ in range(10)))
    assert len(seen) == 2


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
    await asyncio.wait_for(ended.wait(), 1)
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


async def test_sockets_opened_together_do_not_all_end_together():
    async def application(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        await receive()

    async def life() -> float:
        socket = communicator(SocketAge(application, 0.5))
        await socket.send_input({"type": "websocket.connect"})
        began = time.monotonic()
        await socket.wait(timeout=2)
        return time.monotonic() - began

    lives = await asyncio.gather(*(life() for _ in range(40)))
    assert max(lives) - min(lives) > 0.02
    assert min(lives) >= 0.44
