"""ASGI middleware: what a login has opened ends with it, sockets and event streams alike."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.db import DatabaseError

from tandem.closing import ClosableSocket
from tandem.revocation.watch import Endable, Entry, rights, watch
from tandem.streams import is_stream
from tandem.websocket.sessions import identify

__all__ = ["CloseRevoked", "EndWithLogin"]

logger = logging.getLogger(__name__)


class Logins:
    """Who is on one connection, by one login or several."""

    def __init__(self, connection: Endable) -> None:
        self._connection = connection
        self._entries: list[Entry] = []

    def identified(self, user: Any, session: str | None = None) -> None:
        """Watch the login of ``user``; ``session``: the key of the one that it ends with."""
        entry = Entry(self._connection, user.pk, rights(user), session)
        self._entries.append(entry)
        watch.add(entry)

    async def by_session(self, scope: dict[str, Any]) -> None:
        """Watch the login of the session cookie, if there is one and somebody is logged in."""
        named = {"type": "http", "path": "/", "headers": scope.get("headers", ())}
        try:
            await identify(named)
        except (DatabaseError, OSError) as error:
            # The application asks for itself, and says what that means.
            logger.warning("a login was not looked up: %s", type(error).__name__)
            return
        user, session = named.get("user"), named.get("session")
        if user is not None and user.is_authenticated:
            self.identified(user, getattr(session, "session_key", None))

    def forget(self) -> None:
        """Stop to watch: the connection has ended."""
        for entry in self._entries:
            watch.discard(entry)


class EndWithLogin:
    """Watch every socket and event stream of a session; ``tandem.asgi.serve`` has it for any site.

    An application that finds out itself who a client is (by a token in a message, say)
    calls ``scope["tandem.identified"](user)``, with the key of the session, if it knows one.
    """

    def __init__(self, application: Callable[..., Any]) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection."""
        serve = {"websocket": self._socket, "http": self._stream}.get(scope["type"])
        # Its models are not there before Django is set up, nor on a site without logins.
        if serve is None or not (apps.ready and apps.is_installed("django.contrib.auth")):
            await self.application(scope, receive, send)
        else:
            await serve(scope, receive, send)

    async def _socket(self, scope: Any, receive: Any, send: Any) -> None:
        socket = ClosableSocket(receive, send)
        logins = Logins(socket)
        try:
            await logins.by_session(scope)
            scope = {**scope, "tandem.identified": logins.identified}
            await self.application(scope, socket.receive, socket.send)
        finally:
            logins.forget()

    async def _stream(self, scope: Any, receive: Any, send: Any) -> None:
        logins: Logins | None = None

        async def watched(event: dict[str, Any]) -> None:
            nonlocal logins
            await send(event)
            if event["type"] == "http.response.start" and is_stream(event):
                logins = Logins(scope["tandem.stream"])
                await logins.by_session(scope)

        try:
            await self.application(scope, receive, watched)
        finally:
            if logins is not None:
                logins.forget()


class CloseRevoked:
    """For an authentication of one's own: ``MyAuth(CloseRevoked(URLRouter([…])))``.

    Watches the login in ``scope["user"]``, which need not be that of a session cookie.
    """

    def __init__(self, application: Callable[..., Any]) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection."""
        if scope["type"] != "websocket":
            await self.application(scope, receive, send)
            return
        socket = ClosableSocket(receive, send)
        logins = Logins(socket)
        user = scope.get("user")
        if user is not None and user.is_authenticated:
            logins.identified(user, getattr(scope.get("session"), "session_key", None))
        scope = {**scope, "tandem.identified": logins.identified}
        try:
            await self.application(scope, socket.receive, socket.send)
        finally:
            logins.forget()
