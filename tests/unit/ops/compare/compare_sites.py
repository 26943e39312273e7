"""Two small servers that stand for the two upstreams, for the tests of ``tandem compare``."""

from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Reply:
    """What a view gives."""

    body: str | bytes = ""
    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    kind: str = "text/html; charset=utf-8"


View = Callable[["Handler"], Reply]


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers with the views of its server, over kept connections."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Site

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.sent = self.rfile.read(length).decode()
        self.server.asked.append((self.command, self.path, dict(self.headers)))
        view = self.server.views.get(self.path.partition("?")[0])
        reply = view(self) if view else Reply("not here", 404)
        body = reply.body.encode() if isinstance(reply.body, str) else reply.body
        self.send_response(reply.status)
        if not any(name == "Content-Type" for name, _ in reply.headers):
            self.send_header("Content-Type", reply.kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in reply.headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_POST = do_GET  # noqa: N815 - names of the standard library

    def address_string(self) -> str:
        return "local"

    def log_message(self, *args: Any) -> None:
        pass


class Site(http.server.ThreadingHTTPServer):
    """One upstream."""

    daemon_threads = True
    block_on_close = False

    handler: type[Handler] = Handler

    def __init__(self, address: Any = ("127.0.0.1", 0)) -> None:
        self.views: dict[str, View] = {}
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        super().__init__(address, self.handler)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def handle_error(self, *args: Any) -> None:
        """Say nothing of clients that do not wait."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def paths(self) -> list[str]:
        """What was asked for, each once, in order."""
        return list(dict.fromkeys(path for _, path, _ in self.asked))

    def say(self, path: str, body: str | bytes = "", **reply: Any) -> None:
        """Give the same answer each time."""
        self.views[path] = lambda _: Reply(body, **reply)


class UnixHandler(Handler):
    """A Unix socket has no such option."""

    disable_nagle_algorithm = False


class UnixSite(Site):
    """The same on a Unix socket."""

    address_family = socket.AF_UNIX
    handler = UnixHandler

    def server_bind(self) -> None:
        self.socket.bind(self.server_address)


Pair = tuple[Site, Site]


def both(sites: Pair, path: str, *args: Any, **reply: Any) -> None:
    """Give the same answer on both sides."""
    for site in sites:
        site.say(path, *args, **reply)
