"""A steady rate of requests, each on a connection of its own.

Its own, because a kept connection that the server closes while it is being used is for
the client to retry: browsers do, silently, and a failure would be hidden here.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import urlencode

from tests.load.history import history
from tests.load.site import Site

TIMEOUT_SECONDS = 20.0
# Users wait for their pages: when this many do, the next one comes later.  Without a bound
# a machine that falls behind for a moment never catches up, and its queue is measured.
WAITING = 40
# One in eight writes, as a reader-heavy site does; each room has its own lock.
MIX = (
    "/",
    "/health/wsgi/live/",
    "/accounts/login/",
    "/",
    "/static/favicon.svg",
    "/",
    "/chat/",
    None,
)
POST_ROOMS = 25
TOKEN = "t" * 32  # CSRF: the cookie and the field must be the same


@dataclass
class Requests:
    """What was asked and what came of it."""

    site: Site
    name: str  # a name of this run's own: its rooms, and what is posted there, are no other's
    rate: float  # requests/s; may change on the way
    # (moment, seconds taken, method and path)
    answered: list[tuple[float, float, str]] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    acknowledged: set[str] = field(default_factory=set)  # texts whose POST was answered
    posted: set[str] = field(default_factory=set)  # and those that may have arrived or not

    async def run(self, stop: asyncio.Event) -> None:
        """Send until ``stop``, at the rate as long as fewer than ``WAITING`` wait."""
        loop, tasks, number = asyncio.get_running_loop(), set(), 0
        following = loop.time()
        while not stop.is_set():
            if len(tasks) >= WAITING:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                following = loop.time()
            path = MIX[number % len(MIX)]
            method = "GET" if path else "POST"
            path = path or f"/chat/{self.room(number // len(MIX) % POST_ROOMS)}/"
            task = asyncio.create_task(self._ask(method, path, number))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            number += 1
            following += 1 / self.rate
            await asyncio.sleep(max(0, following - loop.time()))
        await asyncio.gather(*tasks)

    def room(self, number: int) -> str:
        """Return the name of a room to post in."""
        return f"{self.name}-posts-{number}"

    def text(self, number: int) -> str:
        """Return what the request of this number posts: its key, once in all the site."""
        return f"{self.name} post {number}"

    async def audit(self) -> dict[str, list[str]]:
        """Compare what was posted with what was kept.

        What was acknowledged is there once.  What was not is there once or not at all: nobody
        (a proxy that tries again) may send a POST twice.
        """
        rooms = await asyncio.gather(*(history(self.site, self.room(n)) for n in range(POST_ROOMS)))
        kept = Counter(text for messages in rooms for _, text in messages)
        return {
            "lost": sorted(self.acknowledged - kept.keys()),
            "doubled": sorted(text for text in self.posted if kept[text] > 1),
        }

    async def _ask(self, method: str, path: str, number: int) -> None:
        what, began = f"{method} {path}", time.monotonic()
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                status = await self._exchange(method, path, number)
        except (OSError, ValueError, TimeoutError, asyncio.IncompleteReadError) as error:
            self.failed.append(f"{what}: {type(error).__name__} {error}")
            return
        if status not in (200, 302):
            self.failed.append(f"{what}: {status}")
            return
        if method == "POST":
            self.acknowledged.add(self.text(number))
        self.answered.append((began, time.monotonic() - began, what))

    async def _exchange(self, method: str, path: str, number: int) -> int:
        """Return the status of a complete answer.  Raises what a broken connection raises."""
        site = self.site
        reader, writer = await asyncio.open_connection(
            site.address, site.port, ssl=site.tls, server_hostname=site.name
        )
        try:
            body = ""
            if method == "POST":
                self.posted.add(self.text(number))
                body = urlencode({"message": self.text(number), "csrfmiddlewaretoken": TOKEN})
            writer.write(
                f"{method} {path} HTTP/1.1\r\nHost: {site.host}\r\nConnection: close\r\n"
                f"Cookie: {site.cookie}; csrftoken={TOKEN}\r\nReferer: {site.origin}/\r\n"
                "Content-Type: application/x-www-form-urlencoded\r\n"
                f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
            )
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin1").lower()
            if "chunked" in head:
                rest = await reader.read()
                while not rest.endswith(b"0\r\n\r\n"):
                    more = await reader.read()
                    if not more:
                        raise ValueError("the answer ended early")
                    rest += more
            elif "content-length: " in head:
                await reader.readexactly(int(head.split("content-length: ")[1].split("\r")[0]))
            return int(head.split()[1])
        finally:
            writer.close()
