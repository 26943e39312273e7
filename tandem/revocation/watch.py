"""The open sockets and event streams of this process, compared with the database."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any, Protocol

from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.db import DatabaseError

from tandem.background import lasting
from tandem.facts import LOGGED_OUT, SERVICE_RESTART
from tandem.revocation.messages import listen
from tandem.revocation.sessions import alive

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 3.0
AT_ONCE = 500  # users asked for in one query
# What of a user must stay as it was at the handshake.
RIGHTS = ("password", "is_active", "is_staff", "is_superuser")


def rights(user: Any) -> tuple[Any, ...]:
    """Return what of ``user``, the change of which ends a socket, is stored in a field."""
    stored = _stored(user._meta)
    return tuple(getattr(user, name) if name in stored else None for name in RIGHTS)


def _stored(meta: Any) -> set[str]:
    return {field.attname for field in meta.concrete_fields}


def digest(session: str) -> str:
    """Return a name for a session that does not open it."""
    return hashlib.sha256(session.encode()).hexdigest()


class Endable(Protocol):
    """A socket or an event stream that somebody else than its application may end."""

    def end(self, code: int, reason: str) -> None:
        """End it; a stream has no use for the code."""


@dataclass(eq=False)
class Entry:
    """One socket or stream, and what it was admitted by."""

    socket: Endable
    user: Any  # its primary key
    rights: tuple[Any, ...]
    session: str | None = None
    # Rights that a user model works out (a property) may ask the database, which a handshake
    # must not: they are what the first look finds.
    derived: tuple[Any, ...] | None = None


async def _in_thread(function: Callable[..., Any], *arguments: Any) -> Any:
    return await sync_to_async(function)(*arguments)


class Watch:
    """All entries of this process; its tasks run while there are any."""

    def __init__(self, database: Callable[..., Awaitable[Any]] = _in_thread) -> None:
        self._database = database  # runs a function that asks the database, in a thread
        self._entries: set[Entry] = set()
        self._tasks: list[asyncio.Task[None]] = []

    def add(self, entry: Entry) -> None:
        """Watch a socket until ``discard``."""
        if not self._entries:
            self._tasks = [
                lasting("the sweep of logins", self._sweep),
                lasting("the messages of logins", lambda: listen(self.told)),
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
        if message.get("logout"):
            # A login without a session of its own ends with any of its user's.
            for entry in found:
                if entry.session is None:
                    entry.socket.end(LOGGED_OUT, "logged out")
        await self.check(found)
        if message.get("rights"):
            for entry in found:
                entry.socket.end(SERVICE_RESTART, "permissions changed")

    async def check(self, entries: Collection[Entry]) -> None:
        """End those whose user or session is not what it was."""
        users = {entry.user for entry in entries}
        sessions = {entry.session for entry in entries if entry.session}
        now = await self._database(_rights_now, users)
        living = await self._database(alive, sessions)
        for entry in entries:
            stored, derived = now.get(entry.user, ((), None))
            if stored[:2] != entry.rights[:2] or (entry.session and entry.session not in living):
                entry.socket.end(LOGGED_OUT, "logged out")
            elif stored != entry.rights or entry.derived not in (None, derived):
                entry.socket.end(SERVICE_RESTART, "permissions changed")
            entry.derived = derived

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            try:
                await self.check(list(self._entries))
            except (DatabaseError, OSError) as error:
                logger.warning("the sockets' logins were not checked: %s; trying again", error)


def _rights_now(users: set[Any]) -> dict[Any, tuple[tuple[Any, ...], tuple[Any, ...]]]:
    """Return the stored and the derived rights of those of ``users`` that are there and active."""
    model = get_user_model()
    stored = _stored(model._meta)
    names = [name for name in RIGHTS if name in stored]
    # Django's own is_active, where a model has no such field, is a plain True.
    missing = [name for name in RIGHTS if name not in stored]
    others = [name for name in missing if not isinstance(getattr(model, name, True), bool)]
    found = {}
    keys = list(users)
    for start in range(0, len(keys), AT_ONCE):
        some = model._base_manager.filter(pk__in=keys[start : start + AT_ONCE])
        if not others:
            for row in some.values("pk", *names):
                if row.get("is_active", True):
                    found[row["pk"]] = tuple(row.get(name) for name in RIGHTS), ()
            continue
        for user in some:
            if getattr(user, "is_active", True):
                found[user.pk] = rights(user), tuple(getattr(user, name) for name in others)
    return found


watch = Watch()
