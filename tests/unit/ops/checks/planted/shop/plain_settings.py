"""The same site with an ASGI application that passes no WebSocket on."""

from shop.settings import *  # noqa: F403

ASGI_APPLICATION = "shop.plain.application"
