"""The channel layers of the settings."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from django.utils.module_loading import import_string

from tandem.ops.checks.finding import Finding, kind
from tandem.ops.checks.site import Site
from tandem.server.sockets import max_age_seconds

MEMORY = kind(
    "W011",
    "In-memory channel layer",
    why="A message reaches the sockets of its own process only: with several workers, or from the"
    " WSGI side, it is lost without a word.",
    cure="tandem.channel_layer.PubSubChannelLayer, or one of channels_redis; redis: true in the"
    " tandem.yml of an adopted site.",
    cost="A Redis.",
)
REDIS8 = kind(
    "W012",
    "channels_redis' core layer with redis-py 8",
    why="redis-py 8 gives up reading after 5 s, the layer waits for 5 s: an idle WebSocket dies"
    " with 1006 after 5.2 s (channels_redis 422).",
    cure="hosts = [{'address': …, 'socket_timeout': 15}], or the pub/sub layer.",
    cost="None.",
)
EXPIRY = kind(
    "W017",
    "Sockets outlive their group membership",
    why="group_expiry counts from group_add, and a member that expired gets no message although its"
    " socket stays open.",
    cure="group_expiry above the greatest age of a socket (SOCKET_MAX_AGE_SECONDS), or the"
    " pub/sub layer.",
    cost="Dead members stay in Redis for as long.",
)
CAPACITY = kind(
    "I018",
    "channels_redis' core layer has a capacity",
    why="Each process takes 100 unread messages by default and drops the rest, with a line at INFO:"
    " of 200 quick broadcasts to 1,000 members half were lost.",
    cure="'capacity': 1500 or more, or the pub/sub layer.",
    cost="Memory in Redis for what waits.",
)

DAY = 24 * 60 * 60  # s; channels_redis' own default of group_expiry


def check(site: Site) -> Iterator[Finding]:
    """Find layers that lose messages."""
    for alias, layer in (getattr(site.settings, "CHANNEL_LAYERS", None) or {}).items():
        backend, options = layer.get("BACKEND", ""), layer.get("CONFIG", {})
        place = site.setting("CHANNEL_LAYERS", backend)
        if backend == "channels.layers.InMemoryChannelLayer" or _is(
            backend, "channels.layers", "InMemoryChannelLayer"
        ):
            if not site.settings.DEBUG:
                yield Finding(MEMORY, place, f"The layer {alias!r} is in memory.")
        elif _is(backend, "channels_redis.core", "RedisChannelLayer"):
            yield from _core(site, alias, options, place)


def _core(site: Site, alias: str, options: dict[str, Any], place: Any) -> Iterator[Finding]:
    if _redis() >= 8 and not all(_patient(host) for host in options.get("hosts") or [None]):
        said = f"The layer {alias!r} has a host without socket_timeout above 5."
        yield Finding(REDIS8, place, said)
    expiry, age = options.get("group_expiry", DAY), max_age_seconds()
    if expiry <= age:
        place_of = site.setting("CHANNEL_LAYERS", "group_expiry")
        said = f"group_expiry is {expiry} s, a socket may live {age:.0f} s."
        yield Finding(EXPIRY, place_of, said)
    if options.get("capacity", 100) <= 100 and not options.get("channel_capacity"):
        yield Finding(CAPACITY, place, f"That of {alias!r} is {options.get('capacity', 100)}.")


def _patient(host: Any) -> bool:
    """Tell whether a host is read from for longer than the layer waits."""
    if not isinstance(host, dict):
        return isinstance(host, str) and "socket_timeout=" in host
    timeout = host.get("socket_timeout", 0)
    return timeout is None or timeout > 5


def _redis() -> int:
    try:
        return int(version("redis").partition(".")[0])
    except (PackageNotFoundError, ValueError):
        return 0


def _is(backend: str, module: str, name: str) -> bool:
    """Tell whether ``backend`` is the class of that name or derives from it."""
    try:
        bases = import_string(backend).__mro__
    except (ImportError, AttributeError):
        return backend == f"{module}.{name}"
    return any(base.__module__ == module and base.__name__ == name for base in bases)
