"""Limits of a server that are in force, and not only written."""

from __future__ import annotations

import asyncio
import ssl

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from tests.servers.rehearsal import HANG_SECONDS, Rehearsal

pytestmark = pytest.mark.timeout(2 * HANG_SECONDS)


@pytest.mark.parametrize(("host", "admitted"), [("bookworm", 40), ("trixie", 41)])
async def test_an_address_holds_so_many_sockets_and_no_more(
    servers: Rehearsal, host: str, admitted: int
):
    """One has a limit of 40, the other of 2,000; which of 41 is refused is for the server."""
    tls = ssl.create_default_context()
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    address = servers.address(host)

    async def enter() -> ClientConnection | int:
        try:
            return await connect(
                f"wss://{host}.test/ws/echo/", ssl=tls, origin=f"https://{host}.test",
                host=address, open_timeout=HANG_SECONDS,
            )  # fmt: skip
        except InvalidStatus as refused:
            return refused.response.status_code

    answers = await asyncio.gather(*(enter() for _ in range(41)))
    refused = [answer for answer in answers if isinstance(answer, int)]
    for answer in answers:
        if not isinstance(answer, int):
            await answer.close()
    assert refused == [429] * (41 - admitted)
