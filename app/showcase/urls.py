"""Live addresses; Channels' consumers and raw ASGI are in ``showcase.routing``."""

from django.urls import path

from showcase import events, legacy, sockets
from tandem.websocket import websocket

urlpatterns = [
    websocket("ws/echo/", sockets.echo),
    websocket("ws/hello/", sockets.hello),
    websocket("ws/greet/", sockets.greet),
    websocket("ws/ticker/", sockets.ticker),
    path("legacy/echo-once/", legacy.echo_once),
    path("legacy/lower-case/", legacy.lower_case),
    path("events/ticker/", events.ticker),
    path("events/notifications/", events.notifications),
]
