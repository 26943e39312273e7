"""Usage: ``python -m tests.load HOST ADDRESS PORT COOKIE[,COOKIE…] RATE SOCKETS``.

Prints ``ready`` when the traffic flows and a baseline has been taken, goes on until it
reads a line from standard input (or for ``LIMIT_SECONDS``), and prints a report as JSON.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
import uuid
from collections import Counter
from pathlib import Path

from tests.load.figures import quantile, shortest
from tests.load.requests import Requests
from tests.load.site import Site
from tests.load.sockets import Client, audit
from tests.machine import HANG_SECONDS

BASELINE_SECONDS = 5.0
# Users of a machine that has all it can do notice everything, and a deploy has work of its
# own to do.  The rate is halved until the slowest requests take no longer than this and the
# processors are idle for the rest of the time; a report tells the rate.
BASELINE_P99_SECONDS = 0.15
BUSIEST = 0.6
LEAST_RATE = 25.0
AFTER_SECONDS = 4.0
LIMIT_SECONDS = 12.0 * HANG_SECONDS  # several deploys, on a machine that is busy
EVERY_SECONDS = 10.0  # between two messages of one client
OPENING_PER_SECOND = 100


async def told_to_stop() -> None:
    """Wait for a line on standard input."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.readline()


async def main() -> None:
    """Run and report."""
    host, address, port, cookies, rate, count = sys.argv[1:]
    cookie, *crowd = cookies.split(",")
    site = Site(host, address, int(port), cookie, tuple(crowd))
    stop = asyncio.Event()
    run = f"load-{uuid.uuid4().hex[:8]}"
    clients = [Client(site, run, n, EVERY_SECONDS) for n in range(int(count))]
    talking = {}
    for client in clients:
        talking[asyncio.create_task(client.run(stop))] = client
        await asyncio.sleep(1 / OPENING_PER_SECOND)
    for client in clients:
        await asyncio.wait_for(client.opened.wait(), HANG_SECONDS)
    requests = Requests(site, run, float(rate))
    asking = asyncio.create_task(requests.run(stop))
    baseline = await settled(requests)
    lag = Lag()
    lagging = asyncio.create_task(lag.measure())
    event = time.monotonic()
    print("ready", flush=True)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(told_to_stop(), LIMIT_SECONDS)
    seconds = time.monotonic() - event
    await asyncio.sleep(AFTER_SECONDS)
    stop.set()
    lagging.cancel()
    await asking
    _, silent = await asyncio.wait(talking, timeout=HANG_SECONDS)
    stuck = [talking[task].state() for task in silent]
    for task in silent:
        task.cancel()
    found = {
        "rate": requests.rate,
        "lag_s": round(lag.worst, 2),
        "stuck": stuck,
        "posts": len(requests.acknowledged),
        **await audit(site, clients),
    }
    for what, posts in (await requests.audit()).items():
        found[what] += posts
    print(json.dumps(report(clients, requests, (baseline, event), seconds, found)))


def processors() -> tuple[int, int]:
    """Return how long this machine's processors were idle, of how long, in ticks since boot."""
    ticks = [int(n) for n in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return ticks[3] + ticks[4], sum(ticks)


async def settled(requests: Requests) -> float:
    """Return when a baseline began that the machine is up to."""
    while True:
        began, (idle, total) = time.monotonic(), processors()
        await asyncio.sleep(BASELINE_SECONDS)
        took = [took for at, took, _ in requests.answered if at >= began]
        slow = quantile(took, 0.99) > 1000 * BASELINE_P99_SECONDS or not took
        now_idle, now_total = processors()
        busy = 1 - (now_idle - idle) / (now_total - total) > BUSIEST
        if not (slow or busy) or requests.rate <= LEAST_RATE:
            return began
        requests.rate /= 2
        await asyncio.sleep(2)  # for what has piled up


class Lag:
    """How late the generator itself is, at worst, in seconds."""

    worst = 0.0

    async def measure(self) -> None:
        """Look ten times a second."""
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.1)
            self.worst = max(self.worst, time.monotonic() - began - 0.1)


def report(
    clients: list[Client], requests: Requests, times: tuple[float, float], seconds: float,
    found: dict,
) -> dict:  # fmt: skip
    """Return everything that a promise could be about."""
    baseline, event = times
    back = [entry for client in clients for entry in client.back]
    before = [took for at, took, _ in requests.answered if baseline <= at < event]
    during = [took for at, took, _ in requests.answered if at >= event]
    per_second = Counter(int(at) for at, _, _ in back)
    return {
        "event_s": round(seconds, 1),
        "requests": len(requests.answered) + len(requests.failed),
        "failed": requests.failed[:20],
        "failures": len(requests.failed),
        "late": sum(": TimeoutError" in failure for failure in requests.failed),
        "before_ms": {"p50": quantile(before, 0.5), "p99": quantile(before, 0.99)},
        "during_ms": {"p50": quantile(during, 0.5), "p99": quantile(during, 0.99)},
        "slowest": sorted(
            ((round(took, 2), round(at - event, 1), what) for at, took, what in requests.answered),
            reverse=True,
        )[:5],
        "sockets": len(clients),
        "closes": dict(Counter(str(code) for _, _, code in back)),
        "slowest_return_s": round(max((away for _, away, _ in back), default=0), 2),
        "half_closed_in_s": shortest([at - away for at, away, _ in back], len(clients) // 2),
        "most_returns_in_a_second": max(per_second.values(), default=0),
        "refused": Counter(why for client in clients for why in client.refused).most_common(5),
        "messages": sum(client.sent for client in clients),
        **found,
    }


asyncio.run(main())
