"""What is found behind a URL pattern, and in settings that differ by the moment."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from types import SimpleNamespace
from typing import Any

import pytest
from channels.auth import AuthMiddlewareStack
from channels.generic.websocket import WebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import OriginValidator
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.urls import path
from django.views import View

from tandem.ops.checks import layers
from tandem.ops.checks import settings as site_settings
from tandem.ops.checks.application import inspect_application
from tandem.ops.checks.consumers import lacks_as_asgi
from tandem.ops.checks.site import Site
from tandem.ops.checks.views import check, view_of
from tests.unit.ops.checks.test_site import HERE


def plain(request):
    return HttpResponse()


async def quick(request):
    return HttpResponse()


class Page(View):
    def get(self, request):
        return HttpResponse()


class Operations:
    """As django-ninja does: a bound method that knows its operations."""

    def __init__(self, *functions) -> None:
        self.operations = [SimpleNamespace(view_func=function) for function in functions]

    def serve(self, request):
        return HttpResponse()


@pytest.fixture
def site() -> Site:
    return Site()


def viewset():
    """Return what REST framework's ``as_view()`` does: a function with the class in ``cls``."""

    def view(request):
        return HttpResponse()

    view.cls = Page
    return view


@pytest.mark.parametrize(
    ("callback", "target", "asynchronous"),
    [
        (plain, plain, False),
        (login_required(quick), quick, True),
        (partial(partial(plain), x=1), plain, False),
        (Page.as_view(), Page, False),
        (login_required(Page.as_view()), Page, False),
        (viewset(), Page, False),
        (quick, quick, True),
    ],
)
def test_the_code_behind_a_pattern_is_found(
    callback: Any, target: Any, asynchronous: bool, site: Site
):
    view = view_of(callback, site)
    assert (view.target, view.asynchronous) == (target, asynchronous)
    assert view.place is not None
    assert view.covers(view.place)


def test_the_functions_behind_a_frameworks_method_are_found(site: Site, monkeypatch):
    owned = {plain, quick}
    monkeypatch.setattr(site, "owns_object", lambda thing: thing in owned)
    one = view_of(Operations(quick).serve, site)
    assert one.target is quick
    both = view_of(Operations(plain, quick).serve, site)
    assert len(both.spans) == 2


def test_a_decorator_that_awaits_or_adapts_is_none_that_forgets(site: Site):
    from asgiref.sync import async_to_sync

    @wraps(quick)
    def adapted(request):
        return async_to_sync(quick)(request)

    @wraps(quick)
    def forgets(request):
        return quick(request)

    views = [view_of(v, site) for v in (adapted, forgets, login_required(quick), quick)]
    assert [f.kind.code for f in check(site, views)] == ["W046"]


@pytest.mark.parametrize(
    ("version", "old"),
    [((5, 2, 13), True), ((5, 2, 14), False), ((6, 0, 4), True), ((6, 0, 5), False),
     ((5, 1, 99), True), ((4, 2, 30), True), ((6, 1, 0), False)],
)  # fmt: skip
def test_django_below_the_fixes_of_its_asgi_handler_is_named(
    version: tuple[int, ...], old: bool, site: Site, monkeypatch
):
    monkeypatch.setattr(site_settings.django, "VERSION", (*version, "final", 0))
    codes = [f.kind.code for f in site_settings.check(site)]
    assert ("W001" in codes) is old


@pytest.mark.parametrize(
    ("host", "patient"),
    [
        ("redis://localhost", False),
        (("localhost", 6379), False),
        ({"address": "redis://localhost"}, False),
        ({"address": "redis://localhost", "socket_timeout": 5}, False),
        ({"address": "redis://localhost", "socket_timeout": 15}, True),
        ({"address": "redis://localhost", "socket_timeout": None}, True),
        ("redis://localhost?socket_timeout=15", True),
    ],
)
def test_a_host_that_is_given_up_too_early_is_named(
    host: Any, patient: bool, site: Site, settings, monkeypatch
):
    core = "channels_redis.core.RedisChannelLayer"
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": core, "CONFIG": {"hosts": [host]}}}
    monkeypatch.setattr(layers, "version", lambda package: "8.1.0")
    assert ("W012" not in [f.kind.code for f in layers.check(site)]) is patient
    monkeypatch.setattr(layers, "version", lambda package: "7.0.0")
    assert "W012" not in [f.kind.code for f in layers.check(site)]


def test_the_example_sites_sockets_are_seen_behind_all_that_wraps_them():
    from config.asgi import application

    seen = inspect_application(application)
    assert seen.passes("OriginValidator")
    assert seen.passes("Auth")
    assert "/ws/scores/<slug:match>/" in {address for address, _ in seen.sockets}


def stacked(consumer: Any) -> Any:
    return ProtocolTypeRouter({"websocket": AuthMiddlewareStack(consumer)})


@pytest.mark.parametrize(
    "made",
    [
        stacked,
        lambda consumer: ProtocolTypeRouter({"websocket": consumer}),
        lambda consumer: stacked(OriginValidator(consumer, ["https://example.org"])),
        lambda consumer: stacked(URLRouter([path("ws/", consumer)])),
    ],
)
def test_a_consumers_class_is_seen_wherever_its_application_must_be(made: Callable[[Any], Any]):
    def bare(application: Any) -> list[Any]:
        return [c for _, c in inspect_application(application).sockets if lacks_as_asgi(c)]

    assert bare(made(WebsocketConsumer)) == [WebsocketConsumer]
    assert bare(made(WebsocketConsumer.as_asgi())) == []


def test_a_folder_named_like_tests_hides_no_site_in_it(site: Site):
    # The planted site lies in tests/: its own modules count, by their names.
    assert "tests" in HERE.parts
    assert not site.owns("django.conf", __import__("django.conf").conf.__file__)
    assert site.owns("anything", HERE / "planted" / "shop" / "orm.py")
