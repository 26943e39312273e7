"""The chat across workers, through nginx."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosedError

from tests.machine import HANG_SECONDS
from tests.stack import Stack, messages

Pair = tuple[ClientConnection, ClientConnection]


@pytest.fixture
def room() -> str:
    return f"room-{uuid.uuid4().hex[:12]}"


@pytest.fixture
async def pair(stack: Stack, room: str) -> AsyncIterator[Pair]:
    """Give a socket of demo's on asgi@1 and one of guest's on asgi@2, in one room."""
    path = f"/ws/chat/{room}/?after=0"
    first = await stack.socket_on("asgi@1", path, stack.cookie("demo"))
    second = await stack.socket_on("asgi@2", path, stack.cookie("guest"))
    yield first, second
    await first.close()
    await second.close()


async def say(socket: ClientConnection, text: str, **more: object) -> None:
    await socket.send(json.dumps({"message": text, **more}))


async def test_a_message_crosses_from_worker_1_to_worker_2(pair: Pair):
    await say(pair[0], "hello")
    here, there = [await messages(s, 1) for s in pair]
    assert here == there
    assert there[0] | {"sent_at": ""} == {
        "id": 1,
        "message": "hello",
        "user": "demo",
        "sent_at": "",
    }


async def test_messages_of_both_sides_arrive_in_one_order(pair: Pair):
    for n in range(50):
        await asyncio.gather(say(pair[0], f"a{n}"), say(pair[1], f"b{n}"))
    here, there = await asyncio.gather(*(messages(s, 100) for s in pair))
    assert here == there
    assert [m["id"] for m in here] == list(range(1, 101))


async def test_whoever_joins_gets_the_last_fifty(stack: Stack, pair: Pair, room: str):
    for n in range(60):
        await say(pair[0], str(n))
    for socket in pair:  # unread, they would hold up the answer to a close
        await messages(socket, 60)
    async with stack.socket(f"/ws/chat/{room}/", stack.cookie("guest")) as late:
        assert [m["id"] for m in await messages(late, 50)] == list(range(11, 61))


@pytest.mark.parametrize("form", ["query", "frame"])
async def test_resuming_gives_what_followed_once(stack: Stack, pair: Pair, room: str, form: str):
    for n in range(10):
        await say(pair[0], str(n))
    await messages(pair[0], 10)
    query = "?after=7" if form == "query" else ""
    async with stack.socket(f"/ws/chat/{room}/{query}", stack.cookie("guest")) as back:
        if form == "frame":
            await back.send(json.dumps({"resume": 7}))
        await say(back, "back")
        assert [m["id"] for m in await messages(back, 4)] == [8, 9, 10, 11]
        await say(back, "next")  # nothing comes again in between
        assert [m["id"] for m in await messages(back, 1)] == [12]


async def test_a_message_sent_twice_with_one_key_is_stored_once(pair: Pair):
    key = str(uuid.uuid4())
    await say(pair[0], "once", key=key)
    await say(pair[0], "once", key=key)
    await say(pair[0], "next")
    assert [m["message"] for m in await messages(pair[1], 2)] == ["once", "next"]


async def test_a_sender_that_gave_a_key_is_told_the_id(pair: Pair):
    key = str(uuid.uuid4())
    await say(pair[0], "acknowledged", key=key)
    frames = [json.loads(await pair[0].recv()) for _ in range(2)]
    assert {"ack": key, "id": 1} in frames


async def test_presence_lists_those_on_other_workers_and_forgets_who_leaves(pair: Pair):
    await pair[0].send('{"watch": true}')

    async def until(users: list[str]) -> None:
        async with asyncio.timeout(HANG_SECONDS):
            while json.loads(await pair[0].recv()).get("presence") != users:
                pass

    await until(["demo", "guest"])
    await pair[1].close()
    await until(["demo"])


@pytest.mark.parametrize(
    ("frame", "error"),
    [
        ("no json", "not-json"),
        ("[]", "not-an-object"),
        ("{}", "unknown-frame"),
        ('{"message": ""}', "bad-message"),
        ('{"message": "a\\u0000b"}', "bad-message"),
        ('{"message": 7}', "bad-message"),
        ('{"message": "x", "key": "no"}', "bad-key"),
        ('{"resume": "x"}', "bad-resume"),
        (json.dumps({"message": "x" * 4001}), "too-long"),
        (b"\x00\xff", "not-json"),
    ],
)
async def test_a_bad_frame_gets_a_sentence_and_the_socket_stays_open(
    pair: Pair, frame: str | bytes, error: str
):
    await pair[0].send(frame)
    assert json.loads(await pair[0].recv())["error"] == error
    await say(pair[0], "still here")
    assert (await messages(pair[0], 1))[0]["message"] == "still here"


@pytest.mark.parametrize("size", [65_537, 1_000_000, 10_000_000])
async def test_a_message_over_the_limit_closes_with_1009(stack: Stack, room: str, size: int):
    cookie = stack.cookie("demo")
    for _ in range(5):  # the close frame races with what is still being sent
        async with stack.socket(f"/ws/chat/{room}/?after=0", cookie) as socket:
            with contextlib.suppress(ConnectionClosedError):
                await socket.send("x" * size)
            with pytest.raises(ConnectionClosedError) as closed:
                await socket.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1009


async def test_a_wsgi_view_reaches_all_workers_without_a_redis_connection_a_call(
    stack: Stack, pair: Pair, room: str
):
    posts = 60
    with stack.client("demo") as client:
        token = client.cookies["csrftoken"]

        def post(text: str) -> None:
            answer = client.post(
                f"/chat/{room}/",
                data={"message": text, "csrfmiddlewaretoken": token},
                headers={"Referer": stack.origin},
            )
            assert answer.status_code == 302

        await asyncio.to_thread(post, "warm-up")
        before = stack.redis_stat("total_connections_received")
        for n in range(1, posts):
            await asyncio.to_thread(post, str(n))
        opened = stack.redis_stat("total_connections_received") - before
    for socket in pair:
        assert [m["id"] for m in await messages(socket, posts)] == list(range(1, posts + 1))
    # Four Gunicorn processes open one each, health checks and redis-cli a few.
    assert opened < posts / 3
