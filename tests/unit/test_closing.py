"""A socket that somebody else than its application closes."""

from __future__ import annotations

import asyncio
from typing import Any

from tandem.closing import ClosableSocket


def socket(*events: dict[str, Any]) -> tuple[ClosableSocket, list[dict[str, Any]]]:
    """Return a socket that receives ``events`` and then waits, and what it sends."""
    coming, sent = list(events), []

    async def receive() -> dict[str, Any]:
        if not coming:
            await asyncio.Event().wait()
        return coming.pop(0)

    async def send(event: dict[str, Any]) -> None:
        sent.append(event)

    return ClosableSocket(receive, send), sent


async def test_only_the_first_end_counts():
    closable, sent = socket()
    await closable.send({"type": "websocket.accept"})
    closable.end(4401, "logged out")
    closable.end(1012, "age limit")
    event = await closable.receive()
    assert (event["type"], event["code"]) == ("websocket.disconnect", 4401)
    assert sent[1:] == [{"type": "websocket.close", "code": 4401, "reason": "logged out"}]


async def test_one_that_the_client_has_closed_is_not_closed_again():
    closable, sent = socket({"type": "websocket.disconnect", "code": 1001})
    await closable.send({"type": "websocket.accept"})
    assert (await closable.receive())["code"] == 1001
    closable.end(1012, "age limit")
    await asyncio.sleep(0)
    assert len(sent) == 1


async def test_a_handshake_that_is_not_answered_yet_is_refused():
    closable, sent = socket({"type": "websocket.connect"})
    await closable.receive()
    closable.end(4401, "logged out")
    await closable.send({"type": "websocket.accept"})
    assert sent == [{"type": "websocket.close", "code": 4401, "reason": "logged out"}]
