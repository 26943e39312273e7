"""Compare the realtime styles on the running replica: ``make bench B=styles``.

For each style, in one run: memory of a socket (growth of its worker for 1,000 open ones),
round trips or deliveries a second with 100 clients, and the time of one round trip.  All
traffic goes to this machine's own containers; it ends by itself after a minute or two.
Figures depend on the machine, and here client and servers share it: compare the rows.
"""

from __future__ import annotations

import asyncio
import statistics
import time

from tests.bench.replica import Replica, row
from tests.replica.styles import STYLES, Style, open_style
from tests.stack import Stack

OPEN = 1000
TALKERS = 100
SECONDS = 3.0
ROUND_TRIPS = 200


def containers(stack: Stack, kind: str) -> list[str]:
    """Return the names of the instances of a kind."""
    return stack.run(
        "docker", "ps", "--filter", f"name=^{stack.project}-{kind}-", "--format", "{{.Names}}"
    ).stdout.split()


def fresh(stack: Stack, kind: str) -> None:
    """Restart the instances: memory that was freed is used again, and would not count."""
    stack.run("docker", "restart", *containers(stack, kind))
    for name in containers(stack, kind):
        stack.wait_healthy(name.removeprefix(f"{stack.project}-"))


def memory(stack: Stack, kind: str) -> int:
    """Return the resident memory of the instances of a kind, in KiB."""
    total = 0
    for name in containers(stack, kind):
        status = stack.run("docker", "exec", name, "cat", "/proc/1/status").stdout
        total += int(next(line for line in status.splitlines() if "VmRSS" in line).split()[1])
    return total


async def socket_kib(stack: Stack, style: Style, cookie: str) -> float:
    """Return what an open socket takes of its worker's memory, in KiB."""
    kind = "notify" if style.token else "asgi"
    fresh(stack, kind)
    warm = [(await open_style(stack, style, cookie))[0] for _ in range(20)]
    before = memory(stack, kind)
    gate = asyncio.Semaphore(20)

    async def open_one():
        async with gate:
            return (await open_style(stack, style, cookie))[0]

    sockets = await asyncio.gather(*(open_one() for _ in range(OPEN)))
    await asyncio.sleep(1)
    grown = memory(stack, kind) - before
    await asyncio.gather(*(socket.close() for socket in [*warm, *sockets]))
    return grown / OPEN


async def round_trip_ms(stack: Stack, style: Style, cookie: str) -> float:
    """Return the median time of a message and its answer, in ms."""
    socket, _ = await open_style(stack, style, cookie)
    times = []
    for _ in range(ROUND_TRIPS):
        began = time.perf_counter()
        await socket.send(style.says)
        await socket.recv()
        times.append(time.perf_counter() - began)
    await socket.close()
    return statistics.median(times) * 1000


async def per_second(stack: Stack, style: Style, cookie: str) -> float:
    """Return how many messages a second are answered, for clients that always ask."""
    sockets = [(await open_style(stack, style, cookie))[0] for _ in range(TALKERS)]
    end = time.monotonic() + SECONDS

    async def talk(socket) -> int:
        count = 0
        while time.monotonic() < end:
            await socket.send(style.says)
            await socket.recv()
            count += 1
        return count

    counts = await asyncio.gather(*(talk(socket) for socket in sockets))
    await asyncio.gather(*(socket.close() for socket in sockets))
    return sum(counts) / SECONDS


async def fan_out(stack: Stack, style: Style, cookie: str) -> tuple[float, float]:
    """Tell ``OPEN`` watchers of one change; return deliveries a second, and ms to the first."""
    gate = asyncio.Semaphore(20)

    async def open_one():
        async with gate:
            return (await open_style(stack, style, cookie))[0]

    sockets = await asyncio.gather(*(open_one() for _ in range(OPEN)))
    arrived: list[float] = []

    async def hear(socket) -> None:
        await socket.recv()
        arrived.append(time.perf_counter())

    hearing = [asyncio.create_task(hear(socket)) for socket in sockets]
    began = await asyncio.to_thread(change, stack, style)
    await asyncio.gather(*hearing)
    await asyncio.gather(*(socket.close() for socket in sockets))
    first, last = min(arrived), max(arrived)
    return OPEN / (last - first), (first - began) * 1000


def change(stack: Stack, style: Style) -> float:
    """Make the change that the watchers of ``style`` wait for; return when it was sent."""
    if style.token:
        path, data = "/admin/auth/group/add/", {"name": f"bench-{time.time_ns()}"}
    else:
        path, data = "/scores/demo/", {"runs": "1", "wickets": "1", "overs": "1.0", "note": ""}
    with stack.client("demo") as client:
        client.get(path)
        data["csrfmiddlewaretoken"] = client.cookies["csrftoken"]
        began = time.perf_counter()
        assert client.post(path, data=data, headers={"Referer": stack.origin}).status_code == 302
        return began


async def polls(stack: Stack) -> tuple[float, float]:
    """Return requests a second and the median time (ms) of what polling does instead."""
    with stack.client() as client:
        times = []
        for _ in range(ROUND_TRIPS):
            began = time.perf_counter()
            client.get("/scores/demo/state/")
            times.append(time.perf_counter() - began)
    return 1 / statistics.mean(times), statistics.median(times) * 1000


async def main() -> None:
    """Print the table."""
    stack = Replica()
    cookie = stack.cookie("demo")
    row("style", "KiB a socket", "sockets a GiB", "answers/s", "round trip ms", "deliveries/s",
        "first after ms")  # fmt: skip
    for style in STYLES:
        if style.path in ("/ws/hello/", "/legacy/echo-once/"):
            continue  # they close by themselves
        threads = style.path.startswith("/legacy/")  # so few that memory cannot be told
        kib = rate = trip = deliveries = first = 0.0
        if not threads:
            kib = await socket_kib(stack, style, cookie)
        if style.answer is not None:
            trip = await round_trip_ms(stack, style, cookie)
            rate = 0.0 if threads else await per_second(stack, style, cookie)
        if style.token or "scores" in style.path:
            deliveries, first = await fan_out(stack, style, cookie)
        row(style.path, kib, 1024 * 1024 / kib if kib > 0 else 0.0, rate, trip, deliveries, first)
    rate, trip = await polls(stack)
    row("polling, one client", 0.0, 0.0, rate, trip, 0.0, 0.0)


if __name__ == "__main__":
    asyncio.run(main())
