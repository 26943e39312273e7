"""Lead a site's clients of Redis to Tandem's, each in the words that it understands.

Celery's library (kombu) refuses ``unix://``, which all others take; a site that was written for
``localhost`` finds nothing there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit

from tandem.adopted.alike import alike, replaced
from tandem.facts import REDIS_PORT

# A Redis of the developer's machine or of the site's own Compose file: in Tandem's place.
LOCAL = re.compile(r"localhost|127(?:\.\d+){3}|\[?::1\]?|0\.0\.0\.0|redis|valkey", re.I)
SCHEMES = ("redis", "rediss", "unix", "redis+socket", "socket")
# What kombu reads, as CELERY_BROKER_URL or CELERY = {"broker_url": …}.
KOMBU = re.compile(r"(?:^|_)(?:BROKER(?:_READ|_WRITE)?(?:_URL)?|RESULT_BACKEND(?:_URL)?)$", re.I)
# Whose addresses are of Redis though no port says so.
NAMED = re.compile(r"REDIS|RQ_QUEUES|HUEY|Q_CLUSTER|CACHEOPS", re.I)
# Nothing of Redis is there; CHANNEL_LAYERS is replaced as a whole.
OTHERS = ("DATABASES", "CHANNEL_LAYERS")


class Server:
    """Tandem's Redis: ``url`` has its socket, or its host and password."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.socket = parts.path if parts.scheme == "unix" else ""
        self.host, self.port = parts.hostname or "", parts.port or REDIS_PORT
        self.password = unquote(parts.password or "")

    def url(
        self, number: int, kombu: bool = False, options: Mapping[str, str] | None = None
    ) -> str:
        """Return the address of a database, as redis-py or as kombu reads it."""
        if not self.socket:
            login = f":{quote(self.password, safe='')}@" if self.password else ""
            query = f"?{urlencode(options)}" if options else ""
            return f"redis://{login}{self.host}:{self.port}/{number}{query}"
        names = {("virtual_host" if kombu else "db"): str(number)} if number else {}
        query = urlencode({**names, **(options or {})})
        scheme = "redis+socket" if kombu else "unix"
        return f"{scheme}://{self.socket}{'?' if query else ''}{query}"

    def arguments(self, number: int) -> dict[str, Any]:
        """Return the arguments of ``redis.Redis`` for a database."""
        if self.socket:
            return {"unix_socket_path": self.socket, "db": number}
        found = {"host": self.host, "port": self.port, "db": number}
        return {**found, "password": self.password} if self.password else found


def brokers(site: Mapping[str, Any], url: str) -> dict[str, Any]:
    """Return the settings of ``site`` that lead to Redis, leading to that of ``url``."""
    server = Server(url)
    found = {}
    for name, value in site.items():
        if name in OTHERS:
            continue

        def change(part: Any, key: str, name: str = name) -> Any:
            if issubclass(type(part), str):
                return _address(part, bool(KOMBU.search(key or name)), server)
            if issubclass(type(part), dict):
                return _mapping(part, name, server)
            return part

        new = replaced(value, change)
        if new is not value:
            found[name] = new
    return found


def _address(text: str, kombu: bool, server: Server) -> str:
    """Return an address of Redis as one of Tandem's; any other text is returned itself."""
    if text.partition("://")[0] not in SCHEMES or any(one in text for one in "; \n"):
        return text
    try:
        parts = urlsplit(text)
        query = dict(parse_qsl(parts.query))
        if not _here(parts, server):
            return text
    except ValueError:  # a port that is no number, say
        return text
    # Some put a number behind whatever REDIS_URL is, which has one already or is a socket's.
    number = parts.path.removeprefix(server.socket).rpartition("/")[2]
    number = number or query.get("virtual_host") or query.get("db", "0")
    if not number.isdigit():
        return text
    dropped = ("db", "virtual_host", "password")
    options = {k: v for k, v in query.items() if k not in dropped and not k.startswith("ssl")}
    new = server.url(int(number), kombu, options)
    return text if new == text else str(alike(text, new))


def _here(parts: SplitResult, server: Server) -> bool:
    """Tell whether Tandem's Redis is, or stands in for, the one at an address.

    Raises ``ValueError`` for a port that is no number.
    """
    _ = parts.port  # raises
    if parts.scheme in ("redis", "rediss"):
        if parts.hostname:
            return bool(LOCAL.fullmatch(parts.hostname)) or parts.hostname == server.host
        return parts.path[1:].isdigit()  # else a socket, as django-environ writes one
    return bool(server.socket) and f"{parts.path}/".startswith(f"{server.socket}/")


def _mapping(part: dict[Any, Any], name: str, server: Server) -> Any:
    """Return ``{"host": "localhost", "port": 6379, …}`` as it leads to Tandem's."""
    keys = {str(key).lower(): key for key in part}
    host = part.get(keys.get("host"))
    if type(host) is not str or not LOCAL.fullmatch(host):
        return part
    port = str(part[keys["port"]]) if "port" in keys else ""
    if port != str(REDIS_PORT) and not NAMED.search(name):
        return part
    upper = str(keys["host"]).isupper()
    if upper and name != "RQ_QUEUES":
        return part  # of a library that is not known
    number = str(part.get(keys.get("db"), 0) or 0)
    if not number.isdigit():
        return part
    dropped = ("host", "port", "db", "password", "username", "ssl", "unix_socket_path")
    kept = {key: value for key, value in part.items() if str(key).lower() not in dropped}
    if name in ("RQ_QUEUES", "HUEY") or "url" in keys:
        kept[keys.get("url", "URL" if upper else "url")] = server.url(int(number))
        return alike(part, kept)
    return alike(part, {**kept, **server.arguments(int(number))})
