"""Who a socket belongs to: logins that end, tokens, and what no log may hold."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.machine import HANG_SECONDS
from tests.replica.styles import token
from tests.stack import Stack, messages, worker


@pytest.mark.parametrize("by", ["logout", "password", "deactivation", "sql"])
async def test_sockets_end_with_their_login(stack: Stack, by: str, record_property):
    name = f"leaver-{by}"
    stack.manage(
        "from django.contrib.auth.models import User\n"
        f"User.objects.filter(username='{name}').delete()\n"
        f"User.objects.create_user('{name}', password='{name}')"
    )
    with stack.client(name) as client:
        cookie = f"sessionid={client.cookies['sessionid']}"
        sockets = [await stack.socket("/ws/chat/leavers/", cookie) for _ in range(4)]
        other = await stack.socket("/ws/chat/leavers/", stack.cookie("guest"))
        assert {worker(socket) for socket in sockets} == {"asgi@1", "asgi@2"}
        for socket in [*sockets, other]:  # each is let in, and watched
            await socket.send('{"watch": true}')
            await socket.recv()
        began = time.monotonic()
        if by == "logout":
            client.get("/upload/")
            client.get("/accounts/login/")
            client.post(
                "/accounts/logout/", headers={"Referer": stack.origin},
                data={"csrfmiddlewaretoken": client.cookies["csrftoken"]},
            )  # fmt: skip
        elif by == "sql":
            stack.sql(f"update auth_user set is_active = false where username = '{name}'")
        else:
            change = {"password": "set_password('x')", "deactivation": "is_active = False"}[by]
            stack.manage(
                "from django.contrib.auth.models import User\n"
                f"u = User.objects.get(username='{name}'); u.{change}; u.save()"
            )
    for socket in sockets:
        async with asyncio.timeout(HANG_SECONDS):
            await socket.wait_closed()
        assert socket.close_code == 4401
    record_property("from the end of the login to the last close, s", time.monotonic() - began)
    assert other.state.name == "OPEN"
    await other.close()


# --- tokens ---


async def test_the_chat_takes_a_token_in_three_places(stack: Stack):
    good = token(stack, "guest")
    by_query = await stack.socket(f"/ws/chat/tokens/?after=0&token={good}")
    by_offer = await stack.socket("/ws/chat/tokens/", subprotocols=["tandem", f"token.{good}"])
    by_message = await stack.socket("/ws/chat/tokens/", subprotocols=["tandem"])
    await by_message.send(json.dumps({"token": good}))
    for socket in (by_query, by_offer, by_message):
        await socket.send(json.dumps({"message": "it is me"}))
        (said,) = await messages(socket, 1)
        assert said["user"] == "guest"
        await socket.close()
    assert by_offer.subprotocol == "tandem"


async def test_no_secret_reaches_any_log(stack: Stack):
    planted = [token(stack), "planted-password-4711", "planted.bad.token", "planted-query-4711"]
    good = planted[0]
    cookie = stack.cookie("demo")
    planted.append(cookie.split("=")[1])
    for path, options, says in [
        (f"/ws/chat/x/?token={good}", {}, '{"watch": true}'),
        ("/ws/chat/x/", {"subprotocols": ["tandem", f"token.{good}"]}, '{"watch": true}'),
        ("/ws/chat/x/", {"subprotocols": ["tandem"]}, json.dumps({"token": good})),
        ("/ws/notifications/", {}, good),
        ("/ws/notifications/?token=planted-query-4711", {}, "planted.bad.token"),
        ("/ws/chat/x/?token=planted-query-4711", {}, "x"),
        ("/ws/nothing/?token=planted-query-4711", {}, "x"),
        ("/legacy/lower-case/?token=planted-query-4711", {}, "x" * 70_000),
    ]:
        with suppress(InvalidStatus, ConnectionClosed):
            socket = await stack.socket(path, **options)
            await socket.send(says)
            await asyncio.sleep(0.1)
            await socket.close()
    with stack.client() as client:
        client.get("/accounts/login/?token=planted-query-4711")
        csrf = client.cookies["csrftoken"]
        planted.append(csrf)
        client.post(
            "/accounts/login/?token=planted-query-4711",
            data={"username": "demo", "password": "planted-password-4711",
                  "csrfmiddlewaretoken": csrf},
            headers={"Referer": f"{stack.origin}/?token=planted-query-4711"},
        )  # fmt: skip
        client.get("/events/ticker%00/?token=planted-query-4711")
        client.get("/nothing/?token=planted-query-4711")
    logs = stack.compose("logs", "--no-color")
    logs += stack.run(
        "docker", "exec", stack.container("postgres-1"), "sh", "-c",
        "cat /var/lib/postgresql/*/*/log/* /var/log/postgresql/* 2>/dev/null || true",
    ).stdout  # fmt: skip
    assert "/ws/notifications/" in logs
    for secret in planted:
        assert secret not in logs
