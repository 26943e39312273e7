"""What to compare: addresses from a list, from an access log, or found by following links."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import NamedTuple, Protocol
from urllib.parse import urldefrag, urljoin, urlsplit

from tandem.ops.compare.client import Answer
from tandem.ops.report.accesslog import WEBSOCKET_STATUS, Reader, is_copy

SAFE = ("GET", "HEAD", "OPTIONS")
# Links that would end the session or change something in sites that let a GET do it.
EXCLUDED = r"log-?out|sign-?out|/delete\b|/remove\b"
# Of one path: calendars and filters have no end.
MOST_QUERIES = 5
CONTROL = re.compile(r"[\x00-\x20\x7f]")


class Request(NamedTuple):
    """One request to send to both sides."""

    method: str
    path: str  # with its query


class SourceError(Exception):
    """A list has an entry that cannot be sent; the message names its line."""


class Source(Protocol):
    """Gives requests, and may learn more from the answers."""

    def next(self) -> Request | None:
        """Return the next request, or None when there is none at the moment."""

    def learn(self, request: Request, answer: Answer) -> None:
        """Look at the WSGI side's answer to a request."""


@dataclass
class Chosen:
    """Requests from an iterator, each once."""

    requests: Iterator[Request]
    again: bool = False  # the same request as often as it comes
    seen: set[Request] = field(default_factory=set)

    def next(self) -> Request | None:
        """Return the next request."""
        for request in self.requests:
            if self.again:
                return request
            if request not in self.seen:
                self.seen.add(request)
                return request
        return None

    def learn(self, request: Request, answer: Answer) -> None:
        """Learn nothing: the list is given."""


def listed(
    lines: Iterable[str], name: str, hosts: frozenset[str], unsafe: bool
) -> Iterator[Request]:
    """Give the requests of a list: ``/path`` or an address in each line, perhaps after a method.

    Raises ``SourceError`` for a host that is not one of ``hosts``, and for a method that may
    change something, unless ``unsafe``.
    """
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        where = f"{name}:{number}"
        method, address = (words[0], words[1]) if len(words) == 2 else ("GET", words[0])
        if len(words) > 2 or not re.fullmatch(r"[A-Z]+", method):
            raise SourceError(f"{where}: must be '/path' or 'METHOD /path', got {line.strip()!r}")
        if method not in SAFE and not unsafe:
            raise SourceError(
                f"{where}: {method} may change something; --unsafe-methods sends it to both sides"
            )
        path = local(address, "/", hosts)
        if path is None:
            raise SourceError(
                f"{where}: {address} is not of {', '.join(sorted(hosts))}; --host names the site"
            )
        yield Request(method, path)


def logged(lines: Iterable[bytes]) -> Iterator[Request]:
    """Give the requests of an access log that change nothing; it has no query strings."""
    reader = Reader()
    for line in lines:
        entry = None if is_copy(line) else reader.entry(line)
        if (
            entry
            and entry.method in SAFE
            and entry.status != WEBSOCKET_STATUS
            and entry.path.startswith("/")
            and not CONTROL.search(entry.path)
        ):
            yield Request(entry.method, entry.path)


def local(address: str, base: str, hosts: frozenset[str]) -> str | None:
    """Return path and query of a link on the page ``base``; None where it leads elsewhere."""
    try:
        parts = urlsplit(urldefrag(urljoin(base, address.strip())).url)
        elsewhere = parts.netloc and parts.hostname not in hosts and parts.netloc not in hosts
    except ValueError:
        return None
    if elsewhere or (parts.scheme and parts.scheme not in ("http", "https")):
        return None
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not path.startswith("/") or CONTROL.search(path):
        return None
    return "".join(c if ord(c) < 128 else "".join(f"%{b:02X}" for b in c.encode()) for c in path)


class Links(HTMLParser):
    """The addresses that a page refers to."""

    def __init__(self, assets: bool) -> None:
        super().__init__()
        self.assets = assets
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note links, and with ``assets`` what the page loads."""
        values = dict(attrs)
        if tag in ("a", "area"):
            self.found.append(values.get("href") or "")
        elif self.assets and tag in ("script", "img", "source"):
            self.found.append(values.get("src") or "")
        elif self.assets and tag == "link":
            self.found.append(values.get("href") or "")


@dataclass
class Crawl:
    """Follows the links of one site, breadth first."""

    start: str
    hosts: frozenset[str]
    assets: bool = False
    excluded: re.Pattern[str] = re.compile(EXCLUDED, re.IGNORECASE)
    waiting: deque[str] = field(default_factory=deque)
    seen: set[str] = field(default_factory=set)
    queries: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        path = local(self.start, "/", self.hosts)
        if path is None:
            raise SourceError(f"{self.start} is not of {', '.join(sorted(self.hosts))}")
        self.seen.add(path)
        self.waiting.append(path)

    def next(self) -> Request | None:
        """Return a page that was found and not asked for yet."""
        return Request("GET", self.waiting.popleft()) if self.waiting else None

    def learn(self, request: Request, answer: Answer) -> None:
        """Note what the page links to, or where it redirects."""
        found = [answer.header("location")] if 300 <= answer.status < 400 else []
        if "html" in answer.header("content-type"):
            links = Links(self.assets)
            links.feed(answer.body.decode(errors="replace"))
            found += links.found
        for address in filter(None, found):
            path = local(address, request.path, self.hosts)
            if path is None or path in self.seen or self.excluded.search(path):
                continue
            self.queries[path.partition("?")[0]] += "?" in path
            if "?" in path and self.queries[path.partition("?")[0]] > MOST_QUERIES:
                continue
            self.seen.add(path)
            self.waiting.append(path)
