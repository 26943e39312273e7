"""The open sockets of this process, compared with the database."""

from __future__ import annotations

import asyncio
import contextvars
import hashlib
import logging
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.db import DatabaseError

from tandem.closing import ClosableSocket
from tandem.revocation.messages import listen
from tandem.revocation.sessions import alive

logger = logging.getLogger(__name__)

LOGGED_OUT = 4401  # of the range for applications; as HTTP's 401
SERVICE_RESTART = 1012  # come back: the handshake is judged by what holds now
SWEEP_SECONDS = 3.0
AT_ONCE = 500  # users asked for in one query
# What of a user must stay as it was at the handshake.
RIGHTS = ("password", "is_active", "is_staff", "is_superuser")


def rights(user: Any) -> tuple[Any, ...]:
    """Return what of ``user``, the change of which ends a socket."""
    return tuple(getattr(user, name, None) for name in RIGHTS)


def digest(session: str) -> str:
    """Return a name for a session that does not open it."""
    return hashlib.sha256(session.encode()).hexdigest()


@dataclass(eq=False)
class Entry:
    """One socket, and what it was admitted by."""

    socket: ClosableSocket
    user: Any  # its primary key
    rights: tuple[Any, ...]
    session: str | None


class Watch:
    """All entries of this process; its tasks run while there are any."""

    def __init__(self) -> None:
        self._entries: set[Entry] = set()
        self._tasks: list[asyncio.Task[None]] = []

    def add(self, entry: Entry) -> None:
        """Watch a socket until ``discard``."""
        if not self._entries:
            # In contexts of their own: they outlive the socket that starts them.
            self._tasks = [
                asyncio.create_task(work, context=contextvars.Context())
                for work in (self._sweep(), listen(self.told))
            ]
        self._entries.add(entry)

    def discard(self, entry: Entry) -> None:
        """Forget a socket."""
        self._entries.discard(entry)
        if not self._entries:
            for task in self._tasks:
                task.cancel()

    async def told(self, message: dict[str, Any]) -> None:
        """Do what a message of ``tandem.revocation.signals`` asks for."""
        if session := message.get("session"):
            for entry in list(self._entries):
                if entry.session and digest(entry.session) == session:
                    entry.socket.end(LOGGED_OUT, "logged out")
        users = set(message.get("users", ()))
        found = [entry for entry in self._entries if str(entry.user) in users]
        await self.check(found)
        if message.get("rights"):
            for entry in found:
                entry.socket.end(SERVICE_RESTART, "permissions changed")

    async def check(self, entries: Collection[Entry]) -> None:
        """End those whose user or session is not what it was."""
        users = {entry.user for entry in entries}
        sessions = {entry.session for entry in entries if entry.session}
        now = await sync_to_async(_rights_now)(users)
        living = await sync_to_async(alive)(sessions)
        for entry in entries:
            same_login = entry.user in now and now[entry.user][:2] == entry.rights[:2]
            if not same_login or (entry.session and entry.session not in living):
                entry.socket.end(LOGGED_OUT, "logged out")
            elif now[entry.user] != entry.rights:
                entry.socket.end(SERVICE_RESTART, "permissions changed")

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            try:
                await self.check(list(self._entries))
            except (DatabaseError, OSError) as error:
                logger.warning("the sockets' logins were not checked: %s; trying again", error)


def _rights_now(users: set[Any]) -> dict[Any, tuple[Any, ...]]:
    """Return the rights of those of ``users`` that are there and active."""
    model = get_user_model()
    fields = {field.attname for field in model._meta.concrete_fields}
    names = [name for name in RIGHTS if name in fields]
    found = {}
    keys = list(users)
    for start in range(0, len(keys), AT_ONCE):
        some = model._base_manager.filter(pk__in=keys[start : start + AT_ONCE])
        for row in some.values("pk", *names):
            if row.get("is_active", True):
                found[row["pk"]] = tuple(row.get(name) for name in RIGHTS)
    return found


watch = Watch()
