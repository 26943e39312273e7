"""A WebSocket that somebody else than its application may close."""

from __future__ import annotations

import asyncio
from typing import Any

from tandem.facts import ABNORMAL


class ClosableSocket:
    """``receive`` and ``send`` of one WebSocket, until ``end`` is called.

    Then the client gets a close frame, the application its ``websocket.disconnect`` from
    ``receive``; one that only sends gets ``OSError``, as ASGI has it for a send after the end.
    """

    def __init__(self, receive: Any, send: Any) -> None:
        self._receive = receive
        self._send = send
        self._accepted = False
        self._closed = False  # by whichever side
        self._verdict: tuple[int, str] | None = None
        self._limits: set[asyncio.Timeout] = set()  # of receive() calls under way
        self._closing: asyncio.Task[None] | None = None

    def end(self, code: int, reason: str) -> None:
        """Close with ``code`` and ``reason``; only the first call counts.

        A handshake that is not answered yet is refused when the application answers it.
        """
        if self._verdict is not None or self._closed:
            return
        self._verdict = (code, reason)
        if self._accepted:
            loop = asyncio.get_running_loop()
            self._closing = loop.create_task(self._close())
            for limit in self._limits:
                limit.reschedule(loop.time())

    async def send(self, event: dict[str, Any]) -> None:
        """Pass ``event`` on, unless the socket has been ended."""
        if self._verdict is not None:
            if not self._accepted:
                await self._close()
                self._accepted = True
            elif not self._limits:
                code, reason = self._verdict
                raise OSError(f"this WebSocket has been closed: {code} {reason}")
            return
        self._accepted = self._accepted or event["type"] == "websocket.accept"
        self._closed = self._closed or event["type"] == "websocket.close"
        await self._send(event)

    async def receive(self) -> dict[str, Any]:
        """Return the next event, or the disconnect once the socket has been ended."""
        if not self._accepted:
            event: dict[str, Any] = await self._receive()
            return event
        if self._verdict is None:
            try:
                async with asyncio.timeout(None) as limit:
                    self._limits.add(limit)
                    event = await self._receive()
                self._closed = self._closed or event["type"] == "websocket.disconnect"
                return event
            except TimeoutError:
                pass
            finally:
                self._limits.discard(limit)
        if self._closing is not None:
            await self._closing
        code, reason = self._verdict or (ABNORMAL, "")
        return {"type": "websocket.disconnect", "code": code, "reason": reason}

    async def _close(self) -> None:
        assert self._verdict is not None  # noqa: S101 - that is why it is called
        code, reason = self._verdict
        await self._send({"type": "websocket.close", "code": code, "reason": reason})
