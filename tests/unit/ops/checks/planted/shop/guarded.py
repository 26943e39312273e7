"""Sockets behind Channels' Origin check."""

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import path

from shop.consumers import Room

sockets = URLRouter([path("ws/room/", Room.as_asgi())])
application = ProtocolTypeRouter(
    {"websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(sockets))}
)
