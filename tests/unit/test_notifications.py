"""The notification server, for real but for Redis: who is let in, and who is told what."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth.models import Group, Permission, User
from django.contrib.auth.signals import user_logged_out
from django.test import AsyncClient
from websockets.exceptions import InvalidStatus

from notifications import admission, clients, hub
from notifications.server import NotificationServer
from tandem.drain import FASTEST_PER_SECOND
from tandem.revocation import watch as watching
from tests.machine import HANG_SECONDS
from tests.patience import eventually
from tests.unit.notify import Running, ended, heard, running, silent
from tokens.tokens import token_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def notify(tmp_path: Path, monkeypatch):
    """Give a running server, which lets sockets go within half a second."""
    monkeypatch.setenv("SOCKET_DRAIN_SECONDS", "0.5")
    monkeypatch.setattr(hub, "SWEEP_SECONDS", 0.2)
    monkeypatch.setattr(watching, "SWEEP_SECONDS", 0.2)
    async with running(tmp_path) as run:
        yield run


async def logged_out(user: User) -> None:
    """Tell what Django does when ``user`` logs out somewhere."""
    await database_sync_to_async(user_logged_out.send)(User, request=None, user=user)


@pytest.fixture
def people(django_user_model):
    """Give a superuser, two who may view or change groups, by themselves or by one, a guest."""
    make = django_user_model.objects.create_user
    root = django_user_model.objects.create_superuser("root")
    viewer, changer, guest = make("viewer"), make("changer"), make("guest")
    viewer.user_permissions.add(Permission.objects.get(codename="view_group"))
    editors = Group.objects.create(name="editors")
    editors.permissions.add(Permission.objects.get(codename="change_group"))
    changer.groups.add(editors)
    return {"root": root, "viewer": viewer, "changer": changer, "guest": guest, "thing": editors}


# --- getting in ---


async def test_a_token_opens_and_the_server_says_who_is_who(notify: Running, people, monkeypatch):
    monkeypatch.setenv("TANDEM_UPSTREAM", "notify@1")
    async with notify.open() as client:
        await client.send(await database_sync_to_async(token_for)(people["guest"]))
        assert json.loads(await client.recv()) == {"user": "guest", "worker": "notify@1"}


@pytest.mark.parametrize("first", ["wrong", "", b"bytes", '{"token": 7}', "{", '{"x": 1}'])
async def test_without_a_good_token_the_socket_closes(notify: Running, people, first):
    async with notify.open() as client:
        await client.send(first)
        assert await ended(client) == (4401, "authentication failed")


async def test_the_code_of_a_refusal_can_be_another(notify: Running, people, settings):
    settings.NOTIFY_REFUSAL_CODE = 1011
    async with notify.open() as client:
        await client.send("wrong")
        assert await ended(client) == (1011, "authentication failed")


async def test_who_says_nothing_is_not_waited_for(notify: Running, monkeypatch):
    monkeypatch.setattr(admission, "FIRST_MESSAGE_SECONDS", 0.2)
    async with notify.open() as client:
        assert await ended(client) == (4401, "authentication failed")


async def test_a_first_message_that_is_too_big_is_refused(notify: Running):
    async with notify.open() as client:
        await client.send("x" * 5000)
        assert (await ended(client))[0] == 1009


@pytest.mark.parametrize("origin", [None, "null", "https://evil.example", "HTTPS://localhost:8443"])
async def test_a_foreign_origin_is_refused(notify: Running, origin):
    with pytest.raises(InvalidStatus) as refused:
        await notify.open(origin=origin)
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("path", ["/", "/ws/", "/ws/notifications", "/ws/chat/lobby/"])
async def test_there_is_one_address(notify: Running, path):
    with pytest.raises(InvalidStatus) as refused:
        await notify.open(path)
    assert refused.value.response.status_code == 404


async def test_no_token_and_no_query_is_logged(notify: Running, people, caplog):
    caplog.set_level("INFO")
    planted = "planted" * 5
    async with notify.open(f"/ws/notifications/?token={planted}") as client:
        await client.send(planted)
        await ended(client)
    await notify.ask("GET", f"/nothing/?token={planted}")
    await notify.ask("BREW", f"/ws/notifications/?token={planted}")
    assert planted not in caplog.text


# --- who is told what ---


async def test_a_change_reaches_those_who_may_see_it_and_nobody_else(notify: Running, people):
    may = [await notify.admit(people[name]) for name in ("root", "viewer", "changer")]
    may_not = await notify.admit(people["guest"])
    entry = await notify.change(people["root"], people["thing"])
    for client in may:
        frame = json.loads(await client.recv())
        assert frame == {
            "id": entry.pk,
            "object": "editors",
            "message": "Changed X.",
            "timestamp": entry.action_time.isoformat(),
            "user": "root",
            "content_type_id": entry.content_type_id,
            "object_id": str(people["thing"].pk),
        }
    # All are told in one go: what the guest hears next is what was meant for it.
    await logged_out(people["guest"])
    assert await heard(may_not) == []
    for client in may:
        await client.close()


async def test_a_change_does_not_wait_for_the_next_look_into_the_database(
    tmp_path: Path, people, monkeypatch
):
    monkeypatch.setattr(hub, "SWEEP_SECONDS", 10 * HANG_SECONDS)
    async with running(tmp_path) as run:
        client = await run.admit(people["root"])
        entry = await run.change(people["root"], people["thing"])
        async with asyncio.timeout(HANG_SECONDS):
            assert json.loads(await client.recv())["id"] == entry.pk
        await client.close()


async def test_a_permission_revoked_a_moment_ago_counts_no_more(notify: Running, people):
    client = await notify.admit(people["viewer"])
    await notify.change(people["root"], people["thing"])
    await client.recv()
    await database_sync_to_async(people["viewer"].user_permissions.clear)()
    await notify.change(people["root"], people["thing"])
    witness = await notify.admit(people["root"])
    await notify.change(people["root"], people["thing"])
    await witness.recv()  # so the changes before it have been told to whom they are told
    await database_sync_to_async(people["viewer"].groups.add)(people["thing"])
    entry = await notify.change(people["root"], people["thing"])
    assert json.loads(await client.recv())["id"] == entry.pk
    await witness.close()
    await client.close()


async def test_what_redis_lost_is_read_from_the_database_once_and_in_order(notify: Running, people):
    client = await notify.admit(people["root"])
    told = [(await notify.change(people["root"], people["thing"])).pk]
    notify.wire.cut = True
    told += [(await notify.change(people["root"], people["thing"])).pk for _ in range(3)]
    got = [json.loads(await client.recv())["id"] for _ in told]
    assert got == told
    notify.wire.cut = False
    notify.wire.noise(b"not json")
    notify.wire.noise(b"[1]")
    last = (await notify.change(people["root"], people["thing"])).pk
    assert json.loads(await client.recv())["id"] == last  # and none of those before once more
    await client.close()


async def test_who_comes_back_gets_what_was_missed(notify: Running, people):
    entries = [await notify.change(people["root"], people["thing"]) for _ in range(3)]
    token = await database_sync_to_async(token_for)(people["viewer"])
    async with notify.open() as client:
        await client.send(json.dumps({"token": token, "after": entries[0].pk}))
        assert json.loads(await client.recv())["user"] == "viewer"
        assert [json.loads(await client.recv())["id"] for _ in range(2)] == [
            entry.pk for entry in entries[1:]
        ]
    token = await database_sync_to_async(token_for)(people["guest"])
    async with notify.open() as client:
        await client.send(json.dumps({"token": token, "after": 0}))
        assert json.loads(await client.recv())["user"] == "guest"
        assert await silent(client)


# --- having to go ---


async def test_a_new_password_and_a_closed_account_close_the_sockets(notify: Running, people):
    first, second = [await notify.admit(people[name]) for name in ("viewer", "guest")]
    stays = await notify.admit(people["root"])
    people["viewer"].set_password("new")
    people["guest"].is_active = False
    for name in ("viewer", "guest"):
        await database_sync_to_async(people[name].save)()
    for client in (first, second):
        assert (await ended(client))[0] == 4401
    assert await silent(stays)
    await stays.close()


async def test_logging_out_closes_the_sockets_of_that_session(notify: Running, people, settings):
    settings.CHANNEL_LAYERS = {}  # no message comes: the database tells
    here, elsewhere = AsyncClient(), AsyncClient()
    for browser in (here, elsewhere):
        await browser.aforce_login(people["viewer"])
    gone, stays = [
        await notify.admit(people["viewer"], session=browser.cookies["sessionid"].value)
        for browser in (here, elsewhere)
    ]
    await here.alogout()
    assert await ended(gone) == (4401, "logged out")
    assert await silent(stays)
    await stays.close()


async def test_a_token_without_a_session_ends_with_any_logout_of_its_user(notify: Running, people):
    gone, stays = await notify.admit(people["viewer"]), await notify.admit(people["guest"])
    await logged_out(people["viewer"])
    assert await ended(gone) == (4401, "logged out")
    assert await silent(stays)
    await stays.close()


async def test_an_old_socket_is_asked_to_come_anew(notify: Running, people, monkeypatch):
    monkeypatch.setenv("SOCKET_MAX_AGE_SECONDS", "0.2")
    client = await notify.admit(people["guest"])
    assert await ended(client) == (1012, "age")


async def test_a_client_that_never_reads_is_cut_off_and_delays_nobody(
    notify: Running, people, monkeypatch
):
    monkeypatch.setattr(clients, "WRITE_LIMIT_BYTES", 8 * 1024)
    monkeypatch.setattr(clients, "CLOSE_SECONDS", 0.3)
    slow = await notify.admit(people["viewer"])
    slow.transport.pause_reading()
    quick = await notify.admit(people["root"])
    people["thing"].name = "n" * 190
    served_meanwhile = 0
    for _ in range(1500):
        entry = await notify.change(people["root"], people["thing"])
        async with asyncio.timeout(HANG_SECONDS):
            assert json.loads(await quick.recv())["id"] == entry.pk
        if not notify.server._clients._of.get(people["viewer"].pk):
            break
        served_meanwhile += 1
    assert served_meanwhile  # while the other's messages piled up
    assert not notify.server._clients._of.get(people["viewer"].pk)
    await eventually(lambda: len(notify.server._server.all_connections) == 1)
    slow.transport.abort()
    await quick.close()


async def test_sockets_leave_nothing_behind(notify: Running, people):
    tasks = len(asyncio.all_tasks())
    for turn in range(30):
        client = await notify.admit(people["guest"])
        if turn % 2:
            client.transport.abort()
        else:
            await client.close()
    await eventually(lambda: not notify.server._clients._of)
    await eventually(lambda: len(asyncio.all_tasks()) <= tasks + 1)


# --- requests that are no sockets ---


async def test_health_is_told_as_by_the_other_upstreams(notify: Running):
    status, head, body = await notify.ask("GET", "/health/live/?x=1")
    assert (status, json.loads(body)["status"]) == (200, "live")
    assert "X-Release: dev" in head
    assert "application/json" in head
    status, _, body = await notify.ask("GET", "/health/ready/")
    assert json.loads(body)["checks"] == {"database": "ok", "redis": "ok", "migrations": "ok"}
    assert status == 200


async def test_a_socket_address_is_for_sockets(notify: Running):
    assert (await notify.ask("GET", "/ws/notifications/"))[0] == 426
    assert (await notify.ask("POST", "/ws/notifications/"))[0] == 405


async def test_sockets_move_when_the_edge_asks_and_nobody_else_may(notify: Running, people):
    client = await notify.admit(people["guest"])
    far = await notify.ask("POST", "/health/move-sockets/", "X-Forwarded-For: 192.0.2.1")
    assert far[0] == 404
    assert (await notify.ask("GET", "/health/move-sockets/"))[0] == 404
    assert await silent(client)
    status, _, body = await notify.ask("POST", "/health/move-sockets/")
    assert (status, json.loads(body)) == (202, {"moving": 1})
    assert await ended(client) == (1012, "service restart")


async def test_a_stop_lets_sockets_go_one_by_one(tmp_path: Path, people, monkeypatch):
    monkeypatch.setenv("SOCKET_DRAIN_SECONDS", "1")
    turns: list[float] = []
    leave = NotificationServer._leave

    def noting(server, connection):
        turns.append(asyncio.get_running_loop().time())
        leave(server, connection)

    monkeypatch.setattr(NotificationServer, "_leave", noting)
    async with running(tmp_path) as run:
        sockets = [await run.admit(people["guest"]) for _ in range(20)]
        watching = [asyncio.create_task(ended(client)) for client in sockets]
        began = asyncio.get_running_loop().time()
    assert set(await asyncio.gather(*watching)) == {(1012, "service restart")}
    # By the server's own clock: none before its turn, which is even over the window.
    assert len(turns) == 20
    assert min(at - began - n / FASTEST_PER_SECOND for n, at in enumerate(turns)) >= 0
