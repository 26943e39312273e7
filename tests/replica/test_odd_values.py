"""Values that clients make up, wherever one is read: refused or answered, never a fault."""

from __future__ import annotations

import asyncio
import json
import time
import uuid

import pytest
from websockets.exceptions import ConnectionClosed

from tests.machine import HANG_SECONDS
from tests.replica.styles import STYLES, Style, token
from tests.stack import Stack

DIGITS = "9" * 5000  # more than Python turns into a number
FAULT = 1011  # "the server met an unexpected condition"
MESSAGES = {
    "half a character": '{"message": "\\ud800"}',
    "half a key": '{"message": "x", "key": "\\udfff"}',
    "half a token": '{"token": "\\ud800"}',
    "half a token of a grant": '{"token": "\\ud800.x"}',
    "a token of digits": json.dumps({"token": f"{DIGITS}.x"}),
    "resume": f'{{"resume": {DIGITS}}}',
    "after": f'{{"token": "x", "after": {DIGITS}}}',
    "digits": DIGITS,
    "NUL": '{"message": "\\u0000", "token": "\\u0000.\\u0000"}',
    "deep": "[" * 20_000,
    "bytes": b"\xff\xfe",
    "nothing": "",
}
GETS = {
    "no room": f"/chat/?room={DIGITS}",
    "half a room": "/chat/?room=%ED%A0%80",
    "a chat's after": f"/chat/lobby/?after={DIGITS}",
    "half a message": "/legacy/lower-case/?message=%ED%A0%80",
    "admin's page": f"/admin/chat/message/?p={DIGITS}",
    "admin's filter": f"/admin/chat/message/?id__exact={DIGITS}",
    "admin's row": f"/admin/chat/message/{DIGITS}/change/",
    "a socket's after": f"/ws/chat/lobby/?after={DIGITS}",
    "a score": f"/ws/scores/{DIGITS[:200]}/",
}


def faults(stack: Stack, since: float) -> list[str]:
    """Return what the site's processes logged of exceptions since a Unix time."""
    lines = stack.logs("wsgi", "asgi", "notify", since=since).splitlines()
    return [line for line in lines if "Traceback" in line or "Error:" in line]


@pytest.mark.parametrize("style", STYLES, ids=[style.path for style in STYLES])
async def test_no_message_is_a_fault(stack: Stack, style: Style):
    began, cookie = time.time(), stack.cookie("demo")
    for name, message in MESSAGES.items():
        async with stack.socket(
            style.path, cookie if style.login else "", close_timeout=1
        ) as socket:
            try:
                await socket.send(message)
                await socket.ping()
                async with asyncio.timeout(0.5):
                    async for _ in socket:
                        pass
            except (ConnectionClosed, TimeoutError):
                pass
        assert socket.close_code != FAULT, name
    assert faults(stack, began) == []


@pytest.mark.parametrize("path", GETS.values(), ids=GETS)
def test_no_value_in_an_address_is_a_fault(stack: Stack, path: str):
    began = time.time()
    with stack.client("demo") as client:
        assert client.get(path).status_code < 500
        assert client.post(path, data={"message": DIGITS, "room": DIGITS}).status_code < 500
    assert faults(stack, began) == []


@pytest.mark.parametrize("path", ["/events/ticker/", "/events/notifications/"])
@pytest.mark.parametrize("last", [DIGITS, "9" * 19, "-1", "\u0663", "x"])
def test_no_last_event_id_is_a_fault(stack: Stack, path: str, last: str):
    began = time.time()
    with stack.client("demo") as client:
        headers = {"Last-Event-ID": last.encode()}
        with client.stream("GET", path, headers=headers) as answer:
            assert answer.status_code == 200
            assert next(answer.iter_lines()).startswith("retry: ")
    assert faults(stack, began) == []


async def test_a_good_token_with_an_odd_id_lets_in(stack: Stack):
    for after in ("9" * 30, "-1", '"x"', "1e400", "true", "{}"):
        good = await asyncio.to_thread(token, stack)
        async with stack.socket("/ws/notifications/") as socket:
            await socket.send(f'{{"token": "{good}", "after": {after}}}')
            async with asyncio.timeout(HANG_SECONDS):
                assert json.loads(await socket.recv()), after


@pytest.mark.parametrize("grant", ["\\ud800", DIGITS, "\\u0000"], ids=["half", "digits", "NUL"])
async def test_a_good_token_with_a_made_up_grant_is_refused(stack: Stack, grant: str):
    began = time.time()
    signed = (await asyncio.to_thread(token, stack)).rpartition(".")[2]
    async with stack.socket("/ws/notifications/") as socket:
        await socket.send(f'{{"token": "{grant}.{signed}"}}')
        async with asyncio.timeout(HANG_SECONDS):
            await socket.wait_closed()
    assert socket.close_code not in (None, FAULT)
    assert faults(stack, began) == []


async def test_whoever_sent_odd_values_is_no_longer_present_when_gone(stack: Stack):
    room = f"odd-{uuid.uuid4().hex[:8]}"
    guest = stack.cookie("guest")
    async with stack.socket(f"/ws/chat/{room}/?after=0", stack.cookie("demo")) as watcher:
        await watcher.send('{"watch": true}')

        async def until(users: list[str]) -> None:
            async with asyncio.timeout(HANG_SECONDS):
                while json.loads(await watcher.recv()).get("presence") != users:
                    pass

        await until(["demo"])
        for message in MESSAGES.values():
            async with stack.socket(f"/ws/chat/{room}/?after={DIGITS}", guest) as socket:
                await socket.send(message)
                await until(["demo", "guest"])
            await until(["demo"])


def test_a_view_for_sockets_alone_answers_plain_http_with_400(stack: Stack):
    with stack.client() as client:
        for method in ("GET", "POST", "HEAD", "PUT"):
            answer = client.request(method, "/legacy/echo-once/")
            assert answer.status_code == (403 if method in ("POST", "PUT") else 400), method
            assert answer.headers["X-Upstream"].startswith("asgi@")
