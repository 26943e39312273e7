"""What can go wrong with a WebSocket, one class each, so that a view can tell them apart."""

from __future__ import annotations


class WebSocketError(Exception):
    """Base of all exceptions of this package."""


class StateError(WebSocketError):
    """A call came at the wrong time: a receive before ``accept()``, a second ``accept()``."""


class MessageTypeError(WebSocketError):
    """The message is of another kind: text where bytes were asked for, or not JSON."""


class DisconnectedError(WebSocketError):
    """The socket is closed; ``code`` and ``reason`` are those of the close (RFC 6455, 7.1.5)."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(f"the WebSocket is closed: {code}{f' {reason}' if reason else ''}")
        self.code = code
        self.reason = reason
