"""The socket of a match."""

from django.urls import path

from scores.consumers import ScoresConsumer

websocket_urlpatterns = [path("ws/scores/<slug:match>/", ScoresConsumer.as_asgi())]
