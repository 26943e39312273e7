"""What a mirror costs the real answers, at 100 requests/s: ``make bench B=mirror``.

Off and on in turn, on the running replica, a route that both sides serve.  The routes are
those of a copy of the checkout; afterwards the replica has its own again.  Four minutes.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

import httpx

from tests.bench.replica import Replica, row
from tests.load.figures import quantile
from tests.replica.routes import PAGE, Routes
from tests.stack import copy_of_checkout

RATE, SECONDS, ROUNDS, CONNECTIONS = 100, 20, 3, 16


async def times(stack: Replica) -> list[float]:
    """Return the seconds from when each request was due to its answer."""
    found: list[float] = []
    limits = httpx.Limits(max_connections=CONNECTIONS)
    async with httpx.AsyncClient(
        base_url=stack.origin, verify=stack.tls, timeout=30, limits=limits
    ) as client:

        async def ask(due: float) -> None:
            (await client.get(PAGE)).raise_for_status()
            found.append(time.perf_counter() - due)

        began, asking = time.perf_counter(), []
        for number in range(RATE * SECONDS):
            due = began + number / RATE
            await asyncio.sleep(max(0, due - time.perf_counter()))
            asking.append(asyncio.create_task(ask(due)))
        await asyncio.gather(*asking)
    return found


def main() -> None:
    """Print the table."""
    stack, found = Replica(), {"off": [], "on": []}
    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            copy_of_checkout(Path(folder) / "checkout") as root,
        ):
            routes = Routes(Replica(root))
            for _ in range(ROUNDS):
                for mirror, samples in found.items():
                    routes("move", PAGE, "--to", "wsgi", "--mirror", mirror)
                    asyncio.run(times(stack))  # connections and caches as in use
                    samples += asyncio.run(times(stack))
    finally:
        stack.replica("routes")
    row("mirror", "requests", "p50 ms", "p95 ms", "p99 ms")
    quantiles = {k: [quantile(v, q) for q in (0.5, 0.95, 0.99)] for k, v in found.items()}
    for mirror, samples in found.items():
        row(mirror, len(samples), *quantiles[mirror])
    pairs = zip(quantiles["on"], quantiles["off"], strict=True)
    row("on / off", "", *(f"{on / off:.2f}" for on, off in pairs))


if __name__ == "__main__":
    main()
