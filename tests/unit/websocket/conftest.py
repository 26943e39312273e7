"""The package behind its middleware, spoken to in ASGI events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tandem.websocket import WebSocketMiddleware
from tests.unit.communicator import Communicator
from tests.unit.websocket import site


async def django_side(scope: Any, receive: Any, send: Any) -> None:
    """Stand where Django's own application would: not under test here."""
    await send({"type": "passed on", "scope": scope["type"]})


def scope(path: str, **more: Any) -> dict[str, Any]:
    """Return the scope of a handshake."""
    return {
        "type": "websocket", "path": path, "raw_path": path.encode(), "scheme": "wss",
        "query_string": b"", "headers": [(b"host", b"testserver")], "subprotocols": [],
        "client": ("192.0.2.7", 4711), "extensions": {"websocket.http.response": {}}, **more,
    }  # fmt: skip


class Client(Communicator):
    """A client of one socket."""

    async def open(self) -> None:
        await self.send_input({"type": "websocket.connect"})
        assert (await self.receive_output())["type"] == "websocket.accept"

    async def say(self, text: str) -> None:
        await self.send_input({"type": "websocket.receive", "text": text})

    async def hear(self) -> Any:
        event = await self.receive_output()
        assert event["type"] == "websocket.send", event
        return event["text"] if event.get("text") is not None else event["bytes"]

    async def leave(self, code: int = 1001) -> None:
        await self.send_input({"type": "websocket.disconnect", "code": code, "reason": "bye"})
        await self.wait()

    async def closed(self) -> tuple[int, str]:
        event = await self.receive_output()
        assert event["type"] == "websocket.close", event
        await self.wait()
        return event["code"], event["reason"]

    async def refused(self) -> int:
        """Return the status of the refusal of the handshake; 0: a plain close."""
        await self.send_input({"type": "websocket.connect"})
        event = await self.receive_output()
        if event["type"] == "websocket.close":
            return 0
        assert event["type"] == "websocket.http.response.start", event
        await self.wait()
        return event["status"]


@pytest.fixture
def client(settings) -> Callable[..., Client]:
    """Give a factory: ``client("/ws/echo/", headers=…)``."""
    settings.ROOT_URLCONF = "tests.unit.websocket.site"
    settings.WEBSOCKET_THREADS = 2
    site.seen.clear()
    site.release.clear()

    def make(path: str, **more: Any) -> Client:
        return Client(WebSocketMiddleware(django_side), scope(path, **more))

    return make
