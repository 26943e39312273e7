"""Chat clients that number their messages, come back when closed, and miss nothing.

They use the plain protocol of docs/chat.md, without keys, as the simplest client would:
a message whose echo did not come is looked for in the history and only then sent again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from collections import Counter, defaultdict

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.load.history import history
from tests.load.site import Site
from tests.machine import HANG_SECONDS

FIRST_WAIT, LONGEST_WAIT = 0.5, 15.0  # as app/static/tandem/reconnecting-socket.js
PER_ROOM = 10


class Client:
    """One user's socket in one room, whatever connections it takes."""

    def __init__(self, site: Site, run: str, number: int, every: float) -> None:
        self.site = site
        self.number = number
        self.room = f"{run}-{number // PER_ROOM}"
        self.every = every  # seconds between its messages
        self.sent = 0  # messages confirmed by their echo
        self.seen: list[int] = []  # ids received
        self.back: list[tuple[float, float, int | None]] = []  # (moment, seconds away, close code)
        self.refused: list[str] = []
        self.opened = asyncio.Event()
        self.errors: list[str] = []  # what the site answered instead of an echo
        self.worker = ""
        self._echo = asyncio.Event()
        self._read_up = asyncio.Event()  # of this connection: the history has come

    def text(self, n: int) -> str:
        """Return the text of this client's message ``n``."""
        return f"{self.number}:{n}"

    def state(self) -> str:
        """Return what this client waits for."""
        waits = f"the echo of {self.text(self.sent)}" if self._unconfirmed else "its turn"
        last = self.errors[-1:] or self.refused[-1:]
        return f"client {self.number} in {self.room} on {self.worker} waits for {waits}; {last}"

    async def run(self, stop: asyncio.Event) -> None:
        """Stay connected and talk until ``stop``, and until the last echo has come."""
        closed, code, failures = 0.0, None, 0
        while True:
            after = self.seen[-1] if self.seen else 0
            try:
                async with connect(
                    f"wss://{self.site.host}/ws/chat/{self.room}/?after={after}",
                    host=self.site.address, port=self.site.port, ssl=self.site.tls,
                    server_hostname=self.site.name, origin=self.site.origin, compression=None,
                    additional_headers={"Cookie": self.site.cookie_of(self.number)},
                    open_timeout=HANG_SECONDS,  # a refusal is the server's word, no matter of time
                    ping_interval=None,
                ) as socket:  # fmt: skip
                    now = time.monotonic()
                    if closed:
                        self.back.append((now, now - closed, code))
                    self.opened.set()
                    self.worker = socket.response.headers["X-Upstream"]
                    if await self._talk(socket, stop):
                        return
                    failures = 0
                    closed, code = time.monotonic(), socket.close_code
            except (OSError, InvalidHandshake, TimeoutError, EOFError) as error:
                self.refused.append(f"{type(error).__name__}: {error}")
                closed = closed or time.monotonic()
            await asyncio.sleep(random.random() * min(LONGEST_WAIT, FIRST_WAIT * 2**failures))
            failures += 1

    async def _talk(self, socket, stop: asyncio.Event) -> bool:
        """Send and receive on one connection; ``True`` when all is said."""
        self._read_up.clear()
        listening = asyncio.create_task(self._listen(socket))
        speaking = asyncio.create_task(self._speak(socket, stop))
        await asyncio.wait({listening, speaking}, return_when=asyncio.FIRST_COMPLETED)
        done = speaking.done() and not speaking.cancelled() and speaking.exception() is None
        for task in (speaking, listening):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionClosed):
                await task
        return done

    async def _listen(self, socket) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for frame in socket:
                message = json.loads(frame)
                if "message" in message:
                    self.seen.append(message["id"])
                    if message["message"] == self.text(self.sent):
                        self.sent += 1
                        self._unconfirmed = False
                        self._echo.set()
                elif "history" in message:
                    self._read_up.set()
                elif "error" in message:
                    # Not stored: on a new connection it is looked for, and sent again.
                    self.errors.append(frame)
                    return

    async def _speak(self, socket, stop: asyncio.Event) -> None:
        # What was sent before this connection may be in the history that comes first, before
        # any answer.
        if self._unconfirmed:
            await socket.send(json.dumps({"before": 1}))
            await self._read_up.wait()
        else:
            await asyncio.sleep(random.random() * self.every)
        if self._unconfirmed and stop.is_set():
            self._unconfirmed = False  # it never arrived, and is not sent again
        while not stop.is_set():
            self._echo.clear()
            self._unconfirmed = True
            await socket.send(json.dumps({"message": self.text(self.sent)}))
            await self._echo.wait()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self.every)

    _unconfirmed = False


async def audit(site: Site, clients: list[Client]) -> dict[str, list[str]]:
    """Compare what was kept with what was said, and what each client saw with what was kept."""
    rooms: dict[str, list[Client]] = defaultdict(list)
    for client in clients:
        rooms[client.room].append(client)
    lost, doubled, missed = [], [], []
    histories = await asyncio.gather(*(history(site, room) for room in rooms))
    for members, kept in zip(rooms.values(), histories, strict=True):
        said = Counter(text for _, text in kept)
        doubled += [text for text, times in said.items() if times > 1]
        for client in members:
            lost += [client.text(n) for n in range(client.sent) if client.text(n) not in said]
            if client.seen != sorted(set(client.seen)):
                doubled.append(f"client {client.number} saw a message twice or out of order")
            last = client.seen[-1] if client.seen else 0
            expected = [number for number, _ in kept if number <= last]
            missed += [f"client {client.number}: {n}" for n in expected if n not in client.seen]
    return {"lost": lost, "doubled": doubled, "missed": missed}
