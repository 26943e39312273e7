"""Every realtime style: its address, and what a client gets there."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from typing import Any

from tests.machine import HANG_SECONDS
from tests.stack import Stack


@dataclass(frozen=True)
class Style:
    """A socket that answers ``answer`` to ``says``; ``None``: it speaks first."""

    path: str
    says: str | None
    answer: str | None  # None: any
    login: bool = False  # the session of demo
    token: bool = False  # the first message is a token of demo


STYLES = [
    Style("/ws/echo/", "hello", "hello"),
    Style("/ws/hello/", None, "hello"),
    Style("/ws/ticker/", None, None),
    Style("/ws/ping/", "PING", "PONG"),
    Style("/ws/raw/", "ping", "pong!"),
    Style("/ws/scores/demo/", None, None),
    Style("/legacy/lower-case/", "LOUD", "loud"),
    Style("/legacy/echo-once/", "Once", "Once"),
    Style("/ws/chat/styles/", '{"watch": true}', None, login=True),
    Style("/ws/notifications/", None, None, token=True),
]


_tokens: dict[str, tuple[float, str]] = {}
FRESH_SECONDS = 15.0  # of the 30 that a token lives


def token(stack: Stack, user: str = "demo") -> str:
    """Return a token for sockets that is good for a while yet."""
    made, kept = _tokens.get(user, (0.0, ""))
    if time.monotonic() - made > FRESH_SECONDS:
        made, kept = time.monotonic(), new_token(stack, user)
        _tokens[user] = (made, kept)
    return kept


def new_token(stack: Stack, user: str) -> str:
    """Return a token that nobody has used yet."""
    with stack.client(user) as client:
        client.get("/accounts/login/")
        answer = client.post(
            "/accounts/socket-token/",
            headers={"Referer": stack.origin, "X-CSRFToken": client.cookies["csrftoken"]},
        )
        return answer.json()["token"]


async def open_style(stack: Stack, style: Style, cookie: str, **options: Any) -> Any:
    """Open a socket of ``style`` and have it answer once; return it and the answer."""
    # Got before: the server does not wait for it long.
    says = await asyncio.to_thread(token, stack) if style.token else style.says
    socket = await stack.socket(style.path, cookie if style.login else "", **options)
    if says is not None:
        await socket.send(says)
    async with asyncio.timeout(HANG_SECONDS):
        answer = await socket.recv()
    assert style.answer in (None, answer), (style.path, answer)
    return socket, answer


def worker_of(answer: str) -> str:
    """Return the worker that a JSON frame names."""
    return json.loads(answer)["worker"]
