"""WebSockets in plain Django: views, routes and an ASGI middleware, without another package.

::

    # urls.py                                     # asgi.py
    urlpatterns = [                               application = WebSocketMiddleware(
        path("", home),                               get_asgi_application()
        websocket("ws/echo/", echo),              )
    ]

    async def echo(socket):
        await socket.accept()
        async for message in socket:
            await socket.send_text(message)
"""

from tandem.websocket.connection import State, WebSocket
from tandem.websocket.exceptions import (
    DisconnectedError,
    MessageTypeError,
    StateError,
    WebSocketError,
)
from tandem.websocket.middleware import WebSocketMiddleware
from tandem.websocket.routing import websocket

__all__ = [
    "DisconnectedError",
    "MessageTypeError",
    "State",
    "StateError",
    "WebSocket",
    "WebSocketError",
    "WebSocketMiddleware",
    "websocket",
]
