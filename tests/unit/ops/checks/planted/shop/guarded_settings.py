"""The same site with an Origin check, which its hosts make void."""

from shop.settings import *  # noqa: F403

ALLOWED_HOSTS = ["*"]  # W013
ASGI_APPLICATION = "shop.guarded.application"
