"""How many sockets a user and an address may hold, by the limits that the stack runs with."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.machine import HANG_SECONDS
from tests.stack import SOCKETS_PER_ADDRESS, SOCKETS_PER_USER, Stack

PATH = "/ws/echo/"
AT_ONCE = 25
OTHERS = 20  # sockets from here that other tests may still hold


async def says(socket: ClientConnection) -> str | None:
    """Return how the socket was closed, or nothing when it answers."""
    try:
        async with asyncio.timeout(HANG_SECONDS):
            await socket.send("there?")
            await socket.recv()
    except ConnectionClosed:
        return f"{socket.close_code} {socket.close_reason}"
    return None


async def test_a_user_and_an_address_get_as_many_sockets_as_they_may(stack: Stack):
    nginx = {"host": stack.address(), "port": 443}
    cookie = stack.cookie("guest")
    async with AsyncExitStack() as opened:

        async def more(count: int, cookie: str = "") -> list[ClientConnection]:
            found = await asyncio.gather(
                *(stack.socket(PATH, cookie, **nginx) for _ in range(count))
            )
            for socket in found:
                opened.push_async_callback(socket.close)
            return found

        for _ in range(SOCKETS_PER_USER // AT_ONCE):
            sockets = await more(AT_ONCE, cookie)
            assert set(await asyncio.gather(*map(says, sockets))) == {None}
        (one_too_many,) = await more(1, cookie)
        assert await says(one_too_many) == f"1013 you have {SOCKETS_PER_USER} sockets open already"

        room = SOCKETS_PER_ADDRESS - SOCKETS_PER_USER
        strangers: list[ClientConnection] = []

        async def until_refused() -> None:
            while len(strangers) <= room:
                strangers.extend(await more(1))

        with pytest.raises(InvalidStatus) as refused:
            await until_refused()
        assert refused.value.response.status_code == 429
        assert room - OTHERS <= len(strangers) <= room
