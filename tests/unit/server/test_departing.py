"""A socket that leaves: in random order, with a bound for whoever does not obey."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tandem.drain import Departures
from tandem.server import websocket as protocol
from tandem.server.websocket import TandemWebSocketProtocol


class Clock:
    """A loop that notes what is to be called, and when."""

    def __init__(self) -> None:
        self.later: list[tuple[float, Callable[..., Any]]] = []
        self.now = 0.0

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, call: Callable[..., Any], *arguments: Any) -> Any:
        self.later.append((delay, call))
        return self

    def cancel(self) -> None:
        pass


class Wire:
    """A transport, or a connection, that takes everything."""

    def __init__(self) -> None:
        self.closed = False

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments, **options: []


@pytest.fixture
def leaving() -> TandemWebSocketProtocol:
    """Give a socket that is open."""
    protocol = object.__new__(TandemWebSocketProtocol)
    protocol.loop, protocol.conn, protocol.transport = Clock(), Wire(), Wire()
    protocol.queue, protocol.close_sent, protocol.close_timeout = asyncio.Queue(), False, 7
    protocol.stop_keepalive = lambda: None
    return protocol


async def test_a_client_that_does_not_answer_the_close_is_not_waited_for_long(leaving: Any):
    leaving.leave()
    assert leaving.loop.later == [(7, leaving._left)]


async def test_an_application_that_takes_no_notice_does_not_hold_the_client_up(leaving: Any):
    leaving.leave()
    leaving._left()
    assert leaving.queue.get_nowait()["code"] == 1012
    assert leaving.loop.later[1:] == [(7, leaving.transport.close)]
    leaving._left()  # the timer, after the answer
    assert leaving.queue.empty()


async def test_a_handshake_that_ends_during_a_stop_leaves_in_its_turn(leaving: Any, monkeypatch):
    left = []
    monkeypatch.setattr(protocol.WebSocketsSansIOProtocol, "start_keepalive", lambda _: None)
    monkeypatch.setattr(TandemWebSocketProtocol, "depart", lambda self: left.append(self))
    leaving.handshake_complete = False
    leaving.shutdown()
    assert left == []
    leaving.start_keepalive()
    assert left == [leaving]
    protocol._open.discard(leaving)


async def test_clients_that_came_together_do_not_leave_in_their_order():
    left: list[int] = []
    gone = asyncio.Event()
    departures = Departures(asyncio.get_running_loop(), 0.1)
    for number in range(60):
        departures.add(lambda number=number: (left.append(number), len(left) == 60 and gone.set()))
    await gone.wait()
    assert sorted(left) == list(range(60))
    assert left not in (list(range(60)), list(range(60))[::-1])
