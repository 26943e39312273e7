"""Usage: ``python -m tests.soak.holders HOST ADDRESS PORT COOKIE COUNT``.

Holds COUNT sockets, each of which comes back when it is closed, until its standard input
ends.  For each line that it reads it prints, as JSON, how many are open and what happened.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections import Counter

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake

from tests.load.site import Site

PATH = "/ws/echo/"
FIRST_WAIT, LONGEST_WAIT = 0.5, 15.0  # as app/static/tandem/reconnecting-socket.js
OPENING = 50  # handshakes of this process at a time
OPEN_SECONDS = 60.0


class Holders:
    """All sockets of this process."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.open = 0
        self.closes: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self._opening = asyncio.Semaphore(OPENING)

    async def hold(self) -> None:
        """Keep one socket open, whatever connections it takes, for ever."""
        failures = 0
        while True:
            try:
                async with self._opening:
                    socket = await self._connect()
            except (OSError, InvalidHandshake, TimeoutError, EOFError) as error:
                self.refused[f"{type(error).__name__}: {error}"[:100]] += 1
            else:
                failures = 0
                self.open += 1
                try:
                    await socket.wait_closed()
                finally:
                    self.open -= 1
                self.closes[str(socket.close_code)] += 1
            await asyncio.sleep(random.random() * min(LONGEST_WAIT, FIRST_WAIT * 2**failures))
            failures += 1

    async def _connect(self):
        site = self.site
        return await connect(
            f"wss://{site.host}{PATH}", host=site.address, port=site.port, ssl=site.tls,
            server_hostname=site.name, origin=site.origin, compression=None,
            additional_headers={"Cookie": site.cookie}, open_timeout=OPEN_SECONDS,
            ping_interval=None, max_queue=1,
        )  # fmt: skip

    def state(self) -> str:
        """Return what is so now."""
        return json.dumps({"open": self.open, "closes": self.closes, "refused": self.refused})


async def main() -> None:
    """Hold until the input ends."""
    host, address, port, cookie, count = sys.argv[1:]
    holders = Holders(Site(host, address, int(port), cookie))
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    tasks = [asyncio.create_task(holders.hold()) for _ in range(int(count))]
    while await reader.readline():
        print(holders.state(), flush=True)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


if __name__ == "__main__":
    asyncio.run(main())
