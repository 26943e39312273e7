"""The decorator API of django-websocket, for synchronous views, on the ASGI side.

::

    from tandem.websocket.legacy import accept_websocket, require_websocket

    @accept_websocket
    def lower_case(request):
        if not request.is_websocket():
            return HttpResponse(request.GET["message"].lower())
        for message in request.websocket:
            request.websocket.send(message.lower())
"""

from tandem.websocket.legacy.decorators import (
    WebSocketRequestMiddleware,
    accept_websocket,
    require_websocket,
)
from tandem.websocket.legacy.socket import LegacySocket

__all__ = [
    "LegacySocket",
    "WebSocketRequestMiddleware",
    "accept_websocket",
    "require_websocket",
]
