"""The chat's WebSocket addresses."""

from django.urls import re_path

from chat.consumers import ChatConsumer
from chat.urls import ROOM

websocket_urlpatterns = [re_path(rf"^ws/chat/(?P<room>{ROOM})/$", ChatConsumer.as_asgi())]
