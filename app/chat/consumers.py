"""The chat socket.  docs/chat.md describes the frames."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.conf import settings
from django.db import DatabaseError
from redis.exceptions import RedisError

from chat import frames, login
from chat.announce import announce, announce_typing, group
from chat.feed import feed
from chat.frames import FrameError
from chat.models import last_numbers, messages_before, post
from chat.presence import lease, presence_store
from chat.roster import roster
from tandem.consumers import DisconnectAlways
from tandem.facts import LOGGED_OUT, POLICY_VIOLATION, TRY_AGAIN_LATER
from tandem.identity import identity
from tandem.leases import leases
from tandem.limits import TokenBucket, rate

logger = logging.getLogger(__name__)

RESUME_GRACE_SECONDS = 0.3  # for a first frame {"resume": …}, before history is sent
SEND_SECONDS = 10.0  # a client that takes longer to take a message is let go
TYPING_SECONDS = 2.0  # between two notes that somebody is typing


class ChatConsumer(DisconnectAlways, AsyncJsonWebsocketConsumer):
    """One client in one room."""

    room: str
    cursor: int = -1  # number of the last message sent; -1 until the start is known
    user: Any = None
    _history: asyncio.Task[None] | None = None  # begins the history, or ends the wait for a token
    _begun = False

    async def connect(self) -> None:
        """Accept members (the handshake of others gets 403) and send what they missed."""
        self.room = self.scope["url_route"]["kwargs"]["room"]
        self._outgoing = asyncio.Lock()
        self._bucket = TokenBucket(settings.CHAT_FRAMES_PER_SECOND, settings.CHAT_FRAMES_BURST)
        self._refused = 0
        self._typed = 0.0
        chosen = login.subprotocol(self.scope)
        user = await login.by_handshake(self.scope)
        if user is not None:
            await self._enter(user, chosen)
        elif self.scope.get("subprotocols") == [login.SUBPROTOCOL]:
            await self.accept(chosen)
            self._history = asyncio.create_task(self._wait_for_token())
        else:
            await self.close()

    async def _enter(
        self, user: Any, subprotocol: str | None = None, *, open_: bool = True
    ) -> None:
        await self.channel_layer.group_add(group(self.room), self.channel_name)
        try:
            if open_:
                await self.accept(subprotocol)
        except BaseException:  # gone already: there will be no disconnect()
            await self.channel_layer.group_discard(group(self.room), self.channel_name)
            raise
        self.user = user
        self._lease = lease(self.room, user.get_username(), self.channel_name)
        await leases.take(presence_store(), self._lease)
        after = frames.after(self.scope["query_string"].decode("latin1"))
        if after is not None:
            await self._begin(after)
        else:
            self._history = asyncio.create_task(self._begin_unless_resumed())

    async def disconnect(self, code: int) -> None:
        """Leave nothing behind: no task, no membership, no presence."""
        if self._history is not None:
            self._history.cancel()
        if self.user is None:
            return
        feed.unsubscribe(self)
        roster.forget(self)
        await leases.give_back(self._lease)
        with contextlib.suppress(RedisError, OSError):
            await self.channel_layer.group_discard(group(self.room), self.channel_name)

    # --- from the client ---

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Answer one frame; a bad one gets ``{"error", "detail"}`` and the socket stays open."""
        frame: Any = None
        try:
            frame = frames.parse(text_data)
            if self.user is None:
                await self._identify(frame)
            else:
                await self._limit()
                await self._handle(frame)
        except FrameError as error:
            await self.send_json(error.as_json(frame))

    async def _identify(self, frame: dict[str, Any]) -> None:
        user = await login.by_token(frame.get("token"), self.scope)
        if user is None:
            await self.close(LOGGED_OUT)
            return
        if self._history is not None:
            self._history.cancel()
        await self._enter(user, open_=False)

    async def _limit(self) -> None:
        # The socket's own first: a flood of one client does not reach Redis.
        if self._bucket.take() and await rate(
            settings.CHAT_FRAMES_PER_SECOND, settings.CHAT_FRAMES_BURST
        ).take(self.user.pk):
            self._refused = 0
            return
        self._refused += 1
        if self._refused > settings.CHAT_FRAMES_BURST:
            await self.close(POLICY_VIOLATION)
        raise FrameError("too-fast", "That was too much at once; wait a second.")

    async def _handle(self, frame: dict[str, Any]) -> None:
        if "message" in frame:
            await self._post(frame)
        elif "resume" in frame:
            await self._begin(frames.number(frame, "resume"))
        elif "before" in frame:
            await self._page(frames.number(frame, "before"))
        elif frame.get("typing") is True:
            await self._note_typing()
        elif frame.get("watch") is True:
            await self.send_json(_worker())
            roster.watch(self.room, self)
        else:
            raise FrameError(
                "unknown-frame",
                'Send {"message": …}, {"resume": …}, {"before": …}, {"typing": true}'
                ' or {"watch": true}.',
            )

    async def _post(self, frame: dict[str, Any]) -> None:
        text, key = frames.message(frame)
        try:
            message = await database_sync_to_async(post)(self.room, self.user, text, key)
        except DatabaseError:
            logger.exception("a message to %s was not stored", self.room)
            raise FrameError("not-stored", "The message was not stored; send it again.") from None
        await announce(self.room, message.as_json())
        if key:
            await self.send_json({"ack": frame["key"], "id": message.number})

    async def _page(self, before: int) -> None:
        """Send the messages that precede one, for whoever scrolls back."""
        limit = settings.CHAT_HISTORY
        page = await database_sync_to_async(messages_before)(self.room, before, limit + 1)
        await self.send_json({"history": page[-limit:], "more": len(page) > limit})

    async def _note_typing(self) -> None:
        """Tell the others, not for every key: nothing is stored, and little is sent."""
        if time.monotonic() - self._typed >= TYPING_SECONDS:
            self._typed = time.monotonic()
            await announce_typing(self.room, self.user.get_username())

    # --- to the client ---

    async def deliver(self, message: dict[str, Any]) -> None:
        """Send a stored message once, in order (``chat.feed`` decides when)."""
        async with self._outgoing:
            if message["id"] > self.cursor:
                self.cursor = message["id"]
                await self._send(message)

    async def chat_message(self, event: dict[str, Any]) -> None:
        """Take a message that was stored, here or on another worker."""
        if self.cursor >= 0:
            await feed.offer(self, event["message"])

    async def chat_typing(self, event: dict[str, Any]) -> None:
        """Pass on that somebody else is typing."""
        if self._begun and event["user"] != self.user.get_username():
            await self._send({"typing": [event["user"]]})

    async def tell_presence(self, users: list[str]) -> None:
        """Say who is in the room (``chat.roster`` decides when)."""
        await self._send({"presence": users})

    async def _send(self, frame: dict[str, Any]) -> None:
        """Send from outside this consumer's own handlers: one bad socket harms no other."""
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self.send_json(frame)
        except TimeoutError:
            logger.info("%s does not read: closing its socket", self.user)
            await self.close(TRY_AGAIN_LATER)
        except (OSError, RuntimeError):
            pass  # closed meanwhile; its disconnect is on the way

    # --- starting ---

    async def _begin(self, after: int | None) -> None:
        """Send what follows ``after`` (None: the recent history), then live messages.

        Only the first call counts.
        """
        if self._begun:
            return
        self._begun = True
        newest = (await database_sync_to_async(last_numbers)([self.room])).get(self.room, 0)
        if after is None:
            after = max(0, newest - settings.CHAT_HISTORY)
        self.cursor = min(after, newest)  # a number from the future would wait for it
        feed.subscribe(self)
        await feed.catch_up(self.room)

    async def _begin_unless_resumed(self) -> None:
        await asyncio.sleep(RESUME_GRACE_SECONDS)
        await self._begin(None)

    async def _wait_for_token(self) -> None:
        await asyncio.sleep(login.FIRST_MESSAGE_SECONDS)
        await self.close(LOGGED_OUT)


def _worker() -> dict[str, Any]:
    me = identity()
    return {"worker": me["upstream"], "pid": me["worker"], "release": me["release"]}
