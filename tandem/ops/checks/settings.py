"""Settings that fail behind a proxy, or in more than one process."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import django

from tandem.ops.checks.finding import Finding, kind
from tandem.ops.checks.site import Site

VERSION = kind(
    "W001",
    "Django is older than the fixes of its ASGI handler",
    why="CVE-2025-14550, CVE-2026-3902, CVE-2026-33034 and CVE-2026-5766 concern sites under ASGI"
    " only.",
    cure="Django 5.2.14 or later, or 6.0.5 or later.",
    cost="A patch release; from an older series, its release notes.",
)
CACHE = kind(
    "W005",
    "Per-process cache",
    why="Each process has a cache of its own: what one stores (a session, a lock, a limit, a"
    " deletion) the others do not see, on two upstreams less than ever.",
    cure="Use one that all share: django.core.cache.backends.redis.RedisCache.",
    cost="A Redis (0.1 ms an access); not the channel layer's, whose memory must not be evicted.",
)
SCHEME = kind(
    "W006",
    "SECURE_PROXY_SSL_HEADER is not set",
    why="Behind nginx and a Unix socket every request looks like plain HTTP: CSRF checks refuse"
    " forms sent by HTTPS, redirects lose the s, or loop.",
    cure="SECURE_PROXY_SSL_HEADER = ('HTTP_X_FORWARDED_PROTO', 'https'); nginx sets that header"
    " itself.",
    cost="None, as long as nobody reaches the server but by the proxy.",
)
HOST = kind(
    "W007",
    "USE_X_FORWARDED_HOST is on",
    why="nginx gives the host in Host and lets X-Forwarded-Host pass as the client wrote it: a"
    " visitor chooses the host of links and of cached pages.",
    cure="Remove it; nginx has checked Host already.",
    cost="None.",
)
TRUSTED = kind(
    "W010",
    "CSRF_TRUSTED_ORIGINS lets a whole domain in",
    why="Any page of any site there may then post forms; behind the proxy only foreign origins have"
    " to be listed.",
    cure="List each origin with https:// and its full name.",
    cost="None.",
)
DAPHNE = kind(
    "I009",
    "daphne in INSTALLED_APPS",
    why="It puts another server behind runserver, and does nothing else: Gunicorn and Uvicorn serve"
    " the site.",
    cure="None is needed; it may stay for development.",
    cost="None.",
)
PREFIX = kind(
    "I052",
    "FORCE_SCRIPT_NAME is set",
    why="WSGI and ASGI take the prefix from the path differently (Django's tickets 34394 and"
    " 35354).",
    cure="Compare both upstreams' answers (tandem compare) before the first path moves.",
    cost="An hour of looking.",
)

HEADER = "HTTP_X_FORWARDED_PROTO"
FIXED = {(5, 2): (5, 2, 14), (6, 0): (6, 0, 5)}


def check(site: Site) -> Iterator[Finding]:
    """Find settings that do not suit two servers behind a proxy."""
    settings = site.settings
    series = django.VERSION[:2]
    if django.VERSION[:3] < FIXED.get(series, FIXED[(5, 2)] if series < (6, 0) else series):
        yield Finding(VERSION, None, f"This is Django {django.get_version()}.")
    if getattr(settings, "FORCE_SCRIPT_NAME", None):
        place = site.setting("FORCE_SCRIPT_NAME")
        yield Finding(PREFIX, place, f"The prefix is {settings.FORCE_SCRIPT_NAME}.")
    for app in settings.INSTALLED_APPS:
        if app.partition(".")[0] == "daphne":
            yield Finding(DAPHNE, site.setting("INSTALLED_APPS", app), f"{app} is installed.")
    if settings.USE_X_FORWARDED_HOST:
        yield Finding(HOST, site.setting("USE_X_FORWARDED_HOST"), "It is on.")
    if settings.DEBUG:
        return
    header = settings.SECURE_PROXY_SSL_HEADER
    if not header:
        yield Finding(SCHEME, site.setting("SECURE_PROXY_SSL_HEADER"), "It is None.")
    elif header[0] != HEADER:
        said = f"It reads {header[0]}, which this proxy does not set."
        yield Finding(SCHEME, site.setting("SECURE_PROXY_SSL_HEADER"), said)
    for origin in settings.CSRF_TRUSTED_ORIGINS:
        if re.match(r"\w+://\*(\.[^.]+)?$", origin):
            yield Finding(TRUSTED, site.setting("CSRF_TRUSTED_ORIGINS"), f"It has {origin!r}.")
    yield from _caches(site)


def _caches(site: Site) -> Iterator[Finding]:
    settings = site.settings
    used = {"default"} if _cache_is_used(site) else set()
    if settings.SESSION_ENGINE.endswith((".cache", ".cached_db")):
        used.add(settings.SESSION_CACHE_ALIAS)
    for alias in sorted(used):
        if "locmem." in settings.CACHES.get(alias, {}).get("BACKEND", ""):
            yield Finding(CACHE, site.setting("CACHES"), f"The cache {alias!r} is LocMemCache.")


def _cache_is_used(site: Site) -> bool:
    """Tell whether the site chose the cache, or its own code uses it."""
    # Settings that are a class of django-configurations set everything, by Django's defaults.
    if site.settings.is_overridden("CACHES") and not os.environ.get("DJANGO_CONFIGURATION"):
        return True
    if any("middleware.cache" in name for name in site.settings.MIDDLEWARE):
        return True
    return any(
        target.startswith(("django.core.cache.", "django.views.decorators.cache.cache_page"))
        for source in site.sources
        for node in source.nodes
        for _, target in source._bound(node)
    )
