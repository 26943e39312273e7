"""The same site with an ASGI application that is not there."""

from shop.settings import *  # noqa: F403

ASGI_APPLICATION = "shop.missing.application"  # W026
