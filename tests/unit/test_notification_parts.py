"""What the notification server is made of, part by part."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from channels.db import database_sync_to_async
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType

from notifications import hub as hub_module
from notifications import publish as publishing
from notifications.events import ENTRIES, event_of, events_after
from notifications.hub import Hub, in_thread
from notifications.ledger import GAP_SECONDS, Ledger
from notifications.permissions import viewers, visible_to
from notifications.subscription import Subscription
from tandem.instance.probe import UnixConnection
from tests.machine import HANG_SECONDS
from tests.patience import eventually, eventually_sync
from tests.stack import ROOT
from tests.unit.notify import Wire, log

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def root(django_user_model):
    """Give a superuser."""
    return django_user_model.objects.create_superuser("root", password="root")


@pytest.fixture
def thing():
    """Give something that the admin can change."""
    return Group.objects.create(name="editors")


@pytest.fixture
def published(monkeypatch) -> list[tuple[str, dict]]:
    """Give what is published, instead of sending it to Redis."""
    found: list[tuple[str, dict]] = []
    monkeypatch.setattr(publishing, "publish", lambda *message: found.append(message))
    return found


# --- publishing ---


def test_a_change_in_the_admin_is_published_once_committed(client, root, published):
    client.force_login(root)
    answer = client.post("/admin/auth/group/add/", {"name": "writers"})
    assert answer.status_code == 302
    ((channel, event),) = published
    assert channel == ENTRIES
    assert (event["object"], event["message"], event["user"]) == ("writers", "Added.", "root")
    json.dumps(event)


def test_a_change_that_is_rolled_back_is_not_published(root, thing, published):
    from django.db import transaction

    with contextlib.suppress(ValueError), transaction.atomic():
        log(root, thing)
        raise ValueError
    assert not published


def test_redis_being_away_does_not_fail_the_admin(client, root, settings, caplog):
    settings.REDIS_URL = "redis://:hidden@127.0.0.1:1"
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "tandem.channel_layer.PubSubChannelLayer"}}
    publishing._client.cache_clear()
    client.force_login(root)
    assert client.post("/admin/auth/group/add/", {"name": "writers"}).status_code == 302
    publishing._client.cache_clear()
    assert "notification not published: ConnectionError" in caplog.text
    assert "hidden" not in caplog.text


def test_a_deletion_has_words(root, thing):
    entry = log(root, thing)
    entry.action_flag, entry.change_message = 3, ""
    assert event_of(entry)["message"] == "Deletion"


# --- permissions ---


def test_one_query_tells_who_may_see(root, thing, django_user_model, django_assert_num_queries):
    kind = ContentType.objects.get_for_model(Group).pk
    ContentType.objects.get_for_id(kind)
    users = [django_user_model.objects.create_user(f"u{n}") for n in range(4)]
    users[0].user_permissions.add(Permission.objects.get(codename="view_group"))
    users[1].user_permissions.add(Permission.objects.get(codename="delete_group"))
    users[2].user_permissions.add(Permission.objects.get(codename="change_group"))
    users[2].is_active = False
    users[2].save()
    asked = [root.pk, *(user.pk for user in users)]
    with django_assert_num_queries(1):
        assert viewers(kind, asked) == {root.pk, users[0].pk}
    assert viewers(kind, [users[1].pk]) == set()
    root.is_active = False
    root.save()
    assert viewers(kind, asked) == {users[0].pk}


def test_a_kind_that_is_gone_is_for_superusers(root, django_user_model):
    user = django_user_model.objects.create_user("user")
    gone = ContentType.objects.create(app_label="gone", model="model").pk
    for kind in (None, gone, 10**6):
        assert viewers(kind, [root.pk, user.pk]) == {root.pk}
        assert visible_to(root, [kind]) == {kind}
        assert visible_to(user, [kind]) == set()


def test_one_users_view_of_several_kinds_is_of_now(django_user_model):
    user = django_user_model.objects.create_user("user")
    permission = Permission.objects.get(codename="change_group")
    kinds = [ContentType.objects.get_for_model(m).pk for m in (Group, Permission)]
    user.user_permissions.add(permission)
    assert visible_to(user, kinds) == {kinds[0]}
    user.user_permissions.clear()
    assert visible_to(user, kinds) == set()
    django_user_model.objects.filter(pk=user.pk).update(is_active=False, is_superuser=True)
    assert visible_to(user, kinds) == set()


# --- the ledger ---


def test_a_gap_may_be_filled_for_a_while_and_then_is_settled():
    ledger = Ledger(0, [1, 2])
    ledger.note(4)  # 3 is taken and not committed yet
    ledger.settle(0)
    assert ledger.floor == 2
    assert ledger.is_new(3)
    assert not ledger.is_new(4)
    ledger.settle(GAP_SECONDS - 1)
    assert ledger.is_new(3)
    ledger.settle(GAP_SECONDS)
    assert ledger.floor == 4
    assert not ledger.is_new(3)


def test_the_ledger_does_not_grow():
    ledger = Ledger(0)
    for number in range(1, 10_000):
        ledger.note(number)
    ledger.settle(0)
    assert (ledger.floor, ledger._told) == (9_999, set())


# --- the hub, as a stream uses it ---


async def test_a_subscription_gets_what_is_saved_from_then_on(root, thing, monkeypatch):
    monkeypatch.setattr(hub_module, "SWEEP_SECONDS", 0.1)
    wire = Wire()
    hub = Hub(wire, in_thread)
    before = await database_sync_to_async(log)(root, thing)
    async with Subscription(hub) as changes:
        live = await database_sync_to_async(log)(root, thing)
        wire.publish(live)
        bulk = [
            LogEntry(user=root, content_type_id=None, object_repr=str(n), action_flag=3)
            for n in range(3)
        ]
        await LogEntry.objects.abulk_create(bulk)  # no signal, no message
        got = [await anext(changes) for _ in range(4)]
        assert got[0]["id"] == live.pk
        assert [event["object"] for event in got[1:]] == ["0", "1", "2"]
    assert hub._task is None
    missed = await database_sync_to_async(events_after)(before.pk, 2)
    assert [event["object"] for event in missed] == ["1", "2"]


async def test_a_hub_that_fails_begins_again_and_misses_nothing(root, thing, monkeypatch):
    monkeypatch.setattr(hub_module, "SWEEP_SECONDS", 0.1)
    monkeypatch.setattr("tandem.background.FIRST_WAIT_SECONDS", 0)
    broken = asyncio.Event()

    async def breaks():
        yield None
        if not broken.is_set():
            broken.set()
            raise AttributeError("nobody expects it")
        await asyncio.Event().wait()

    async with Subscription(Hub(breaks, in_thread)) as changes:
        await broken.wait()
        saved = await database_sync_to_async(log)(root, thing)
        async with asyncio.timeout(HANG_SECONDS):
            assert (await anext(changes))["id"] == saved.pk


async def test_one_listener_that_fails_is_not_the_others(root, thing):
    class Broken:
        def on_event(self, event):
            raise RuntimeError

    wire = Wire()
    hub = Hub(wire, in_thread)
    broken = Broken()
    hub.add(broken)
    async with Subscription(hub) as changes:
        saved = await database_sync_to_async(log)(root, thing)
        wire.publish(saved)
        async with asyncio.timeout(HANG_SECONDS):
            assert (await anext(changes))["id"] == saved.pk
    hub.remove(broken)


async def test_a_subscriber_that_lags_is_let_go(root, thing, monkeypatch):
    monkeypatch.setattr("notifications.subscription.MOST_WAITING", 2)
    wire = Wire()
    async with Subscription(Hub(wire, in_thread)) as changes:
        for _ in range(3):
            wire.publish(await database_sync_to_async(log)(root, thing))
        await eventually(lambda: changes._ended)
        with pytest.raises(StopAsyncIteration):
            await anext(changes)


# --- the page, and the process ---


def test_the_page_is_for_staff(client, root, django_user_model):
    client.force_login(django_user_model.objects.create_user("guest"))
    assert client.get("/notifications/").status_code == 302
    client.force_login(root)
    page = client.get("/notifications/")
    assert 'data-path="/ws/notifications/"' in page.content.decode()
    assert "csrfmiddlewaretoken" in page.content.decode()


def test_the_process_takes_its_socket_answers_and_ends(tmp_path: Path):
    path = tmp_path / "notify@1.sock"
    environment = {
        **os.environ, "DJANGO_DEBUG": "on", "DEV_DATABASE": str(tmp_path / "db.sqlite3"),
        "DJANGO_SETTINGS_MODULE": "config.settings", "PYTHONPATH": f"{ROOT}:{ROOT / 'app'}",
        "TANDEM_UPSTREAM": "notify@1", "SOCKET_DRAIN_SECONDS": "1",
    }  # fmt: skip
    command = [sys.executable, "-m", "notifications.server"]
    process = subprocess.Popen(
        [sys.executable, "-m", "tandem.instance.listen", str(path), *command],
        env=environment, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        eventually_sync(path.exists)
        connection = UnixConnection(str(path), HANG_SECONDS)
        connection.request("GET", "/health/live/")
        assert json.load(connection.getresponse())["upstream"] == "notify@1"
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=HANG_SECONDS)
    finally:
        process.kill()
    assert process.returncode == 0, said
    assert "Traceback" not in said
    alone = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=HANG_SECONDS
    )
    assert alone.returncode == 1
    assert "gets its socket from systemd" in alone.stderr


async def test_an_interruption_is_made_up_for_at_once(root, thing, monkeypatch):
    monkeypatch.setattr(hub_module, "SWEEP_SECONDS", 10 * HANG_SECONDS)
    subscribed_again = asyncio.Event()

    async def interrupted():
        await subscribed_again.wait()
        yield None
        await asyncio.Event().wait()

    async with Subscription(Hub(interrupted, in_thread)) as changes:
        saved = await database_sync_to_async(log)(root, thing)  # Redis forgot it
        subscribed_again.set()
        async with asyncio.timeout(HANG_SECONDS):
            assert (await anext(changes))["id"] == saved.pk
