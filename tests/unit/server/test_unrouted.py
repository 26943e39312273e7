"""A socket that the site does not have is refused, and told in one line."""

from __future__ import annotations

import logging

import pytest
from asgiref.testing import ApplicationCommunicator
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

from tandem.asgi import serve

DENIAL = {"websocket.http.response": {}}
ROUTERS = {
    "no route": lambda: ProtocolTypeRouter({"websocket": URLRouter([])}),
    "no websockets": lambda: ProtocolTypeRouter({}),
    "made": get_asgi_application,
}


async def answers(application, extensions: dict) -> list[dict]:
    scope = {"type": "websocket", "path": "/ws/\x1b[31m\nforged", "extensions": extensions}
    socket = ApplicationCommunicator(
        application, scope | {"headers": [], "query_string": b"token=x"}
    )
    await socket.send_input({"type": "websocket.connect"})
    await socket.wait(timeout=60)
    return [socket.output_queue.get_nowait() for _ in range(socket.output_queue.qsize())]


@pytest.mark.parametrize("name", ROUTERS)
async def test_an_unknown_socket_is_404_and_one_line_in_the_log(name: str, caplog, monkeypatch):
    application = serve(ROUTERS[name]())
    logger = logging.getLogger("tandem.asgi")  # Django's set-up cuts it off from the root's
    logger.addHandler(caplog.handler)
    monkeypatch.setattr(logger, "propagate", False)
    try:
        sent = await answers(application, DENIAL)
    finally:
        logger.removeHandler(caplog.handler)
    assert sent[0]["status"] == 404
    assert [one.getMessage() for one in caplog.records] == [
        r"No websocket route for '/ws/\x1b[31m\nforged'"
    ]
    assert caplog.records[0].exc_info is None


async def test_a_server_that_cannot_say_404_closes_the_handshake():
    assert await answers(serve(URLRouter([])), {}) == [{"type": "websocket.close"}]


async def test_a_fault_of_the_sites_own_is_not_hidden():
    async def broken(scope, receive, send):
        raise ValueError("No room")

    with pytest.raises(ValueError, match="No room"):
        await answers(serve(broken), DENIAL)
