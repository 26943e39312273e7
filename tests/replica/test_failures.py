"""What users notice when a part dies: as little as can be."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
import uuid

from tests.machine import HANG_SECONDS
from tests.replica.held import held, waiting
from tests.stack import Stack, messages, wait_for, worker


class Client:
    """A client as docs/chat.md asks for: reconnects, resumes, sends again until acknowledged."""

    def __init__(self, stack: Stack, room: str, cookie: str) -> None:
        self.stack, self.room, self.cookie = stack, room, cookie
        self.seen: list[int] = []
        self.outages: list[float] = []  # seconds from each loss to the next open socket
        self.instance = ""
        self._unacknowledged: dict[str, str] = {}
        self._socket = None

    async def run(self) -> None:
        """Stay connected until cancelled."""
        lost = 0.0
        while True:
            try:
                after = self.seen[-1] if self.seen else 0
                path = f"/ws/chat/{self.room}/?after={after}"
                async with self.stack.socket(path, self.cookie) as self._socket:
                    self.instance = worker(self._socket)
                    if lost:
                        self.outages.append(time.monotonic() - lost)
                    for key, text in list(self._unacknowledged.items()):
                        await self._socket.send(json.dumps({"message": text, "key": key}))
                    async for data in self._socket:
                        frame = json.loads(data)
                        if "ack" in frame:
                            self._unacknowledged.pop(frame["ack"], None)
                        elif "message" in frame:
                            self.seen.append(frame["id"])
            except Exception:
                pass
            lost = lost if lost and not self.instance else time.monotonic()
            self.instance = ""
            await asyncio.sleep(0.1)

    async def say(self, text: str) -> None:
        """Send, now or when connected again."""
        key = str(uuid.uuid4())
        self._unacknowledged[key] = text
        with contextlib.suppress(Exception):
            await self._socket.send(json.dumps({"message": text, "key": key}))


async def test_a_killed_worker_loses_and_doubles_no_message(stack: Stack, record_property):
    room = f"kill-{uuid.uuid4().hex[:8]}"
    cookie = stack.cookie("demo")
    clients = [Client(stack, room, cookie) for _ in range(8)]
    tasks = [asyncio.create_task(client.run()) for client in clients]
    await asyncio.to_thread(wait_for, lambda: all(client.instance for client in clients))
    on_first = [c for c in clients if c.instance == "asgi@1"]
    assert 0 < len(on_first) < len(clients)

    total = 200
    for n in range(total):
        await clients[n % len(clients)].say(str(n))
        if n == total // 3:
            # From outside, as the kernel's out-of-memory killer would.
            pid = stack.inspect("asgi-1")["State"]["Pid"]
            stack.run("kill", "-9", str(pid))
        await asyncio.sleep(0.02)
    await asyncio.to_thread(wait_for, lambda: all(len(client.seen) >= total for client in clients))
    await clients[0].say("the last one")  # a double would come before it
    await asyncio.to_thread(wait_for, lambda: all(len(client.seen) > total for client in clients))
    for task in tasks:
        task.cancel()
    for client in clients:
        assert client.seen == list(range(1, total + 2))
    assert all(client.outages for client in on_first)
    record_property("outages, s", [o for client in on_first for o in client.outages])
    await asyncio.to_thread(stack.wait_healthy, "asgi-1")  # the engine has started it again


async def test_a_redis_restart_closes_no_socket_and_messages_flow_again(stack: Stack):
    room = f"redis-{uuid.uuid4().hex[:8]}"
    path = f"/ws/chat/{room}/?after=0"
    first = await stack.socket_on("asgi@1", path, stack.cookie("demo"))
    second = await stack.socket_on("asgi@2", path, stack.cookie("guest"))
    await first.send('{"message": "before"}')
    await messages(second, 1)

    restart = asyncio.create_task(asyncio.to_thread(stack.compose, "restart", "redis"))
    count = 1
    while not restart.done():  # also while Redis is away nothing is lost
        await first.send('{"message": "during"}')
        count += 1
        await asyncio.sleep(0.2)
    await first.send('{"message": "after"}')
    got = await messages(second, count)
    assert [m["id"] for m in got] == list(range(2, count + 2))
    # And by the layer again, not only by the sweep: faster than that looks.
    await asyncio.to_thread(
        wait_for, lambda: "asgi__group__chat" in stack.redis("pubsub", "channels")
    )
    for socket in (first, second):
        assert socket.close_code is None
        await socket.close()


async def test_redis_killed_and_flushed_is_survived_too(stack: Stack):
    room = f"flush-{uuid.uuid4().hex[:8]}"
    async with stack.socket(f"/ws/chat/{room}/?after=0", stack.cookie("demo")) as socket:
        stack.redis("flushall")
        pid = stack.inspect("redis-1")["State"]["Pid"]
        stack.run("kill", "-9", str(pid))
        await socket.send('{"message": "one"}')
        assert (await messages(socket, 1))[0]["id"] == 1
        await asyncio.to_thread(stack.wait_healthy, "redis-1")


async def test_slow_queries_of_some_sockets_delay_no_other(stack: Stack, record_property):
    """Three sockets wait for a locked row; a fourth, on the same worker, is answered meanwhile."""
    room = f"slow-{uuid.uuid4().hex[:8]}"
    cookie = stack.cookie("demo")
    stack.sql(f"INSERT INTO chat_room (name, last_number) VALUES ('{room}', 0)")
    with held(stack, f"SELECT 1 FROM chat_room WHERE name = '{room}' FOR UPDATE"):
        slow = [
            await stack.socket_on("asgi@1", f"/ws/chat/{room}/?after=0", cookie) for _ in range(3)
        ]
        quick = await stack.socket_on("asgi@1", "/ws/chat/quick/?after=0", cookie)
        for socket in slow:
            await socket.send('{"message": "waits for the lock"}')
        await asyncio.to_thread(wait_for, lambda: waiting(stack) == len(slow))
        waits = []
        for _ in range(20):
            began = time.perf_counter()
            await quick.send("echo")  # answered with an error frame: no database on its way
            await asyncio.wait_for(quick.recv(), HANG_SECONDS)
            waits.append(time.perf_counter() - began)
        assert waiting(stack) == len(slow), "the queries were not slow enough to tell"
    record_property("slowest echo, ms", round(max(waits) * 1000, 1))
    for socket in slow:
        assert (await messages(socket, 3))[-1]["id"] == 3
        await socket.close()
    await quick.close()


def test_a_lost_database_shows_as_not_ready_and_heals(stack: Stack):
    with stack.client() as client:
        stack.compose("stop", "postgres")
        try:
            answer = client.get("/health/ready/")
            assert answer.status_code == 503
            assert answer.json()["checks"]["database"] != "ok"
            assert answer.json()["checks"]["redis"] == "ok"
            assert client.get("/health/live/").status_code == 200
        finally:
            stack.compose("start", "postgres")
        for upstream in ("wsgi", "asgi"):
            wait_for(lambda u=upstream: client.get(f"/health/{u}/ready/").status_code == 200)


def test_all_instances_gone_shows_a_page_that_a_person_can_read(stack: Stack):
    stack.compose("stop", "wsgi")
    try:
        with stack.client() as client:
            person = client.get("/", headers={"Accept": "text/html"})
            program = client.get("/", headers={"Accept": "application/json"})
    finally:
        stack.compose("up", "--detach", "--wait", "wsgi")
    assert person.status_code == program.status_code == 502
    assert "The site is not answering just now" in person.text
    assert program.json()["error"] == "Not answering"
