"""The addresses of Channels' consumers, and of ASGI without any."""

from django.urls import path

from showcase.consumers import PingConsumer
from showcase.raw import raw_ping

websocket_urlpatterns = [
    path("ws/ping/", PingConsumer.as_asgi()),
    path("ws/raw/", raw_ping),
]
