"""Prepare an ASGI application for service: the one line that a site's ``asgi.py`` adds."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from tandem import logs
from tandem.identity import AsgiHeaders
from tandem.revocation import EndWithLogin
from tandem.server.reconnect import MoveSockets
from tandem.server.server_address import ServerAddress
from tandem.server.sockets import SocketAge, SocketThreads, max_age_seconds
from tandem.server.unrouted import Unrouted
from tandem.streams import EventStreams


def serve(application: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``application`` with what a server needs, whatever the site is.

    That is a thread budget and an age limit for sockets, identity headers, the address that
    was asked for, log lines that no client can forge, 404 for a socket that the site does not
    have, and sockets and event streams that move when they must and end with the login of
    their session.

    Reads ``ASGI_THREADS`` (threads for the synchronous code of sockets; 8) and
    ``SOCKET_MAX_AGE_SECONDS`` (deploy/timeouts.env explains it; 82800).
    """
    logs.install()
    threads = int(os.environ.get("ASGI_THREADS", "8"))
    site = SocketAge(Unrouted(EndWithLogin(application)), max_age_seconds())
    moving = MoveSockets(EventStreams(SocketThreads(site, threads)))
    return AsgiHeaders(ServerAddress(moving))
