"""``tandem check`` on adopted sites: what is judged is what will be served."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.adopted.conftest import Shop

# As 'startproject' and the tutorial of Channels have it.
SETTINGS = """\
SECRET_KEY = "django-insecure-of-the-tutorial"
DEBUG = True
ALLOWED_HOSTS = ["*"]
USE_X_FORWARDED_HOST = True
INSTALLED_APPS = ["daphne", "channels", "shop"]
ROOT_URLCONF = "shop.urls"
ASGI_APPLICATION = "shop.asgi.application"
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql", "NAME": "shop", "CONN_MAX_AGE": 600,
        "OPTIONS": {"options": "-c statement_timeout=30000"},
    }
}
"""
CONSUMERS = """\
from channels.generic.websocket import WebsocketConsumer


class Chat(WebsocketConsumer):
    pass
"""
ASGI = """\
import os
from django.core.asgi import get_asgi_application
os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"
http = get_asgi_application()
from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import re_path
from shop.consumers import Chat
routes = [re_path(r"ws/chat/(?P<room>\\w+)/$", Chat.as_asgi())]
application = ProtocolTypeRouter({"http": http, "websocket": URLRouter(routes)})
"""


@pytest.fixture
def tutorial(tmp_path: Path) -> Shop:
    """Give the site that a tutorial leads to."""
    shop = Shop(tmp_path / "site")
    shop.write("daphne/__init__.py", "")
    shop.write("shop/settings.py", SETTINGS)
    shop.write("shop/consumers.py", CONSUMERS)
    shop.write("shop/asgi.py", ASGI)
    return shop


def check(shop: Shop, *arguments: str, **environment: str) -> dict[str, Any]:
    """Return what deploy/run.sh would have found in the replica."""
    served = {"SITE_ASGI": "shop.asgi:application", "SITE_DATABASE": "postgresql",
              "SITE_REDIS": "on", **environment}  # fmt: skip
    code = (
        "import sys; from tandem.ops.checks import cli;"
        f"sys.exit(0 if cli.main(['--format=json', *{arguments!r}]) < 2 else 'refused')"
    )
    found: dict[str, Any] = json.loads(shop.python("-c", code, **served))
    return found


def said(found: dict[str, Any], code: str) -> list[str]:
    return [f["message"] for f in found["findings"] if f["id"] == f"tandem.{code}"]


def warnings(found: dict[str, Any]) -> list[str]:
    return [f["id"] for f in found["findings"] if f["level"] == "warning"]


def test_what_tandem_cures_is_a_note_and_no_failure(tutorial: Shop):
    found = check(tutorial, "--socket-paths=/ws/")
    assert warnings(found) == []
    assert (found["failed"], found["adopted"], found["debug"]) == (False, True, False)
    assert found["upstreams_compared"]
    cured = "\n".join(said(found, "I054"))
    for code in ("W002", "W006", "W007", "W011", "W014"):
        assert f"({code})" in cured
    (layer,) = [f for f in found["findings"] if "(W011)" in f["message"]]
    assert layer["file"] == str(tutorial.folder / "shop/settings.py")
    assert layer["line"] == 8
    assert said(found, "I009") == ["daphne is installed."]


def test_what_nothing_is_laid_over_stays_a_warning(tutorial: Shop):
    found = check(tutorial, "--socket-paths=/ws/", SITE_REDIS="")
    assert warnings(found) == ["tandem.W011"]
    assert found["failed"]
    assert "W011" not in "".join(said(found, "I054"))


def test_the_origin_check_that_all_hosts_void_is_cured(tutorial: Shop):
    guard = "from channels.security.websocket import AllowedHostsOriginValidator as Guard\n"
    asgi = ASGI.replace("URLRouter(routes)}", "Guard(URLRouter(routes))}").replace(
        "from django.urls", f"{guard}from django.urls"
    )
    tutorial.write("shop/asgi.py", asgi)
    found = check(tutorial, "--socket-paths=/ws/")
    assert warnings(found) == []
    assert "(W013)" in "".join(said(found, "I054"))


@pytest.mark.parametrize(
    ("paths", "told"),
    [
        ("/ws/", []),
        ("/live/ /ws/chat/", []),
        ("/live/", ["/ws/chat/(?P<room>\\w+)/ is one, nginx takes them on /live/."]),
        ("", ["/ws/chat/(?P<room>\\w+)/ is one, nginx takes them on no path."]),
    ],
)
def test_a_socket_outside_the_paths_that_are_routed_is_found(
    tutorial: Shop, paths: str, told: list[str]
):
    found = check(tutorial, f"--socket-paths={paths}")
    assert said(found, "W028") == told
    assert found["failed"] == bool(told)


def test_a_socket_of_the_urlconf_outside_the_paths_that_are_routed_is_found(tutorial: Shop):
    tutorial.write(
        "shop/urls.py",
        """\
        from tandem.websocket import websocket

        async def stock(socket):
            await socket.accept()

        urlpatterns = [websocket("ws/stock/", stock), websocket("stock/<int:pk>/", stock)]
        """,
    )
    found = check(tutorial, "--socket-paths=/ws/")
    assert said(found, "W028") == ["/stock/<int:pk>/ is one, nginx takes them on /ws/."]


def test_consumers_without_an_application_are_found(tutorial: Shop):
    found = check(tutorial, "--socket-paths=", SITE_ASGI="made")
    assert said(found, "W019") == ["Chat is there, tandem.yml names no application (asgi)."]


def test_the_site_alone_is_judged_where_its_own_settings_are_named(tutorial: Shop):
    production = SETTINGS.replace("DEBUG = True", "DEBUG = False")
    tutorial.write("shop/production.py", production)
    found = check(tutorial, "--settings=shop.production")
    assert not found["adopted"]
    assert {"tandem.W007", "tandem.W011"} < set(warnings(found))


def test_what_only_costs_is_no_failure(tutorial: Shop):
    """Middleware in a thread above a view that waits: slower than it could be, and right."""
    tutorial.write(
        "shop/middleware.py",
        """\
        class Old:
            def __init__(self, get_response):
                self.get_response = get_response

            def __call__(self, request):
                return self.get_response(request)
        """,
    )
    tutorial.write("shop/settings.py", f"{SETTINGS}MIDDLEWARE = ['shop.middleware.Old']\n")
    tutorial.write(
        "shop/urls.py",
        """\
        from django.http import HttpResponse
        from django.urls import path

        async def page(request):
            return HttpResponse()

        urlpatterns = [path("", page)]
        """,
    )
    found = check(tutorial, "--socket-paths=/ws/")
    assert warnings(found) == ["tandem.W021"]
    assert not found["failed"]
