"""Middleware, as Django will load it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from tandem.ops.checks.finding import COST, Finding, Place, kind
from tandem.ops.checks.site import Site

HOP_ASYNC = kind(
    "W021",
    "Synchronous-only middleware above asynchronous views",
    why="Django runs it in a thread and the view below it back on the event loop: each request"
    " holds a thread while the view waits, so that asynchronous views gain nothing.",
    cure="Make it serve both ways: sync_capable = async_capable = True, and a coroutine where"
    " get_response is one (django.utils.deprecation.MiddlewareMixin does the adapting).",
    cost="Two thread hops per request, about 0.2 ms, and a thread for as long as the view takes.",
    verdict=COST,
)
HOP = kind(
    "I022",
    "Synchronous-only middleware",
    why="Under ASGI Django runs it in a thread. The site's views are synchronous and need one"
    " anyway.",
    cure="None is needed; sync_capable = async_capable = True before the first asynchronous view.",
    cost="A thread hop where asynchronous middleware stands above it, about 0.1 ms per request.",
    verdict=COST,
)
WHITENOISE = kind(
    "I023",
    "WhiteNoise under ASGI",
    why="It answers by a synchronous iterator: Django reads the file into memory before sending"
    " it.",
    cure="Let nginx serve STATIC_ROOT, as Tandem does; WhiteNoise then sees no request.",
    cost="Memory for each file in flight until then.",
    verdict=COST,
)
ASYNC_ONLY = kind(
    "W024",
    "Asynchronous-only middleware",
    why="The WSGI side has to start an event loop for each request to run it.",
    cure="sync_capable = True with a synchronous __call__, or leave no path on WSGI.",
    cost="About 0.2 ms per request under WSGI.",
    verdict=COST,
)


def synchronous() -> list[tuple[str, Any]]:
    """Return the names and objects of ``MIDDLEWARE`` that cannot run on the event loop."""
    found = []
    for name in settings.MIDDLEWARE:
        middleware = _load(name)
        if middleware is not None and not getattr(middleware, "async_capable", False):
            found.append((name, middleware))
    return found


def check(site: Site, asynchronous_views: int) -> Iterator[Finding]:
    """Find middleware that forces requests through threads."""
    hop = HOP_ASYNC if asynchronous_views else HOP
    for name, middleware in synchronous():
        place = where(site, name, middleware)
        if "whitenoise" in name.lower() or _derives(middleware, "whitenoise"):
            yield Finding(WHITENOISE, site.setting("MIDDLEWARE", name), f"{name} is used.")
            continue
        said = f"{name} is synchronous only."
        if asynchronous_views:
            said += f" {asynchronous_views} asynchronous views are below it."
        yield Finding(hop, place, said)
    for name in settings.MIDDLEWARE:
        middleware = _load(name)
        if middleware is not None and not getattr(middleware, "sync_capable", True):
            yield Finding(
                ASYNC_ONLY, where(site, name, middleware), f"{name} is asynchronous only."
            )


def where(site: Site, name: str, middleware: Any) -> Place | None:
    """Return the middleware's own line if the site wrote it, else that of ``MIDDLEWARE``."""
    if site.owns_object(middleware):
        target = inspect.unwrap(middleware) if callable(middleware) else middleware
        try:
            file, line = inspect.getsourcefile(target), inspect.getsourcelines(target)[1]
        except (TypeError, OSError):
            file = None
        if file:
            return Place(Path(file).resolve(), max(line, 1))
    return site.setting("MIDDLEWARE", name)


def _load(name: str) -> Any:
    try:
        return import_string(name)
    except ImportError:  # Django says so itself, at its start
        return None


def _derives(middleware: Any, package: str) -> bool:
    return any(
        base.__module__.partition(".")[0] == package for base in getattr(middleware, "__mro__", ())
    )
