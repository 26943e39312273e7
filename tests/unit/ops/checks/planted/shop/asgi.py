"""Sockets without an Origin check, and without sessions."""

from django.core.asgi import get_asgi_application

http = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import path  # noqa: E402

from shop.consumers import Room  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": http,
        "websocket": URLRouter(  # W014 I025
            [
                path("chat/stream/", Room.as_asgi()),
                path("ws/bare/", Room),  # W027
            ]
        ),
    }
)
