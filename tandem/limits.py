"""How many sockets a user may have, and how many messages a socket may send."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

from django.conf import settings

from tandem.leases import leases, store

TRY_AGAIN_LATER = 1013


class SocketQuota:
    """ASGI middleware, inside the authentication: ``most`` sockets a user, on all workers together.

    One more is accepted and closed with 1013: a refused handshake cannot tell a browser why.
    Counts in ``settings.REDIS_URL``; while that is away, nobody is refused.
    """

    def __init__(self, application: Callable[..., Any], most: int) -> None:
        if most < 1:
            raise ValueError(f"SocketQuota needs at least 1 socket a user, got {most}")
        self.application = application
        self.most = most

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection."""
        user = scope.get("user")
        if scope["type"] != "websocket" or user is None or not user.is_authenticated:
            await self.application(scope, receive, send)
            return
        lease = (str(user.pk), uuid.uuid4().hex)
        if not await leases.take(store(settings.REDIS_URL, "tandem:sockets:"), lease, self.most):
            await receive()  # websocket.connect
            await send({"type": "websocket.accept"})
            reason = f"you have {self.most} sockets open already"
            await send({"type": "websocket.close", "code": TRY_AGAIN_LATER, "reason": reason})
            return
        try:
            await self.application(scope, receive, send)
        finally:
            await leases.give_back(lease)


class TokenBucket:
    """Allows ``per_second`` in the long run, and ``burst`` at once."""

    def __init__(self, per_second: float, burst: int) -> None:
        self._per_second = per_second
        self._burst = burst
        self._left = float(burst)
        self._at = time.monotonic()

    def take(self) -> bool:
        """Tell whether one more is allowed now; if so, count it."""
        now = time.monotonic()
        self._left = min(self._burst, self._left + (now - self._at) * self._per_second)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
