"""Session and user on a socket, as on a request."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace
from typing import Any

from django.apps import apps
from django.conf import settings
from django.http import parse_cookie


async def identify(scope: dict[str, Any]) -> None:
    """Put ``session`` and ``user`` into ``scope``, unless a middleware (Channels') has done so.

    Both are ``None`` on a site without ``django.contrib.sessions`` and ``django.contrib.auth``.
    """
    if "user" in scope:
        return
    scope["session"] = scope["user"] = None
    if not apps.is_installed("django.contrib.sessions"):
        return
    cookies = b"; ".join(value for name, value in scope["headers"] if name == b"cookie")
    key = parse_cookie(cookies.decode("latin1")).get(settings.SESSION_COOKIE_NAME)
    scope["session"] = import_module(settings.SESSION_ENGINE).SessionStore(key)
    if apps.is_installed("django.contrib.auth"):
        from django.contrib.auth import aget_user  # imports models

        # All that it wants of a request is the session.
        scope["user"] = await aget_user(SimpleNamespace(session=scope["session"]))  # type: ignore[arg-type]
