"""Sockets that end with their login: the real middleware, sessions and signals."""

from __future__ import annotations

import asyncio

import pytest
from asgiref.sync import sync_to_async
from channels.auth import AuthMiddlewareStack
from channels.layers import get_channel_layer
from django.contrib.auth.models import Group, Permission, User
from django.contrib.auth.signals import user_logged_out
from django.contrib.sessions.models import Session
from django.test import AsyncClient

from tandem.revocation import LOGGED_OUT, CloseRevoked, EndWithLogin
from tandem.revocation import watch as watching
from tandem.revocation.messages import GROUP
from tandem.revocation.sessions import alive
from tandem.revocation.watch import watch
from tandem.streams import EventStreams
from tests.patience import eventually
from tests.unit.communicator import Communicator

pytestmark = pytest.mark.django_db(transaction=True)


async def listens(scope, receive, send):
    """Accept, and note how it ended."""
    await receive()
    await send({"type": "websocket.accept"})
    event = await receive()
    scope["ended"].append(event.get("code"))


@pytest.fixture
def ada(settings) -> User:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    return User.objects.create_user("ada", password="old")


def listening() -> bool:
    """Tell whether this process hears of messages; a site without a layer has none."""
    layer = get_channel_layer()
    return layer is None or GROUP in layer.groups


class Socket(Communicator):
    def __init__(self, cookie: str, application=listens) -> None:
        self.ended: list[int] = []
        self.watched = bool(cookie)
        headers = [(b"cookie", f"sessionid={cookie}".encode())]
        super().__init__(
            AuthMiddlewareStack(CloseRevoked(application)),
            {"type": "websocket", "path": "/", "headers": headers, "ended": self.ended},
        )

    async def open(self) -> Socket:
        await self.send_input({"type": "websocket.connect"})
        assert (await self.receive_output())["type"] == "websocket.accept"
        if self.watched:
            await eventually(listening)
        return self

    async def closed(self) -> tuple[int, str]:
        event = await self.receive_output()
        await self.wait()
        assert self.ended == [event["code"]]
        return event["code"], event["reason"]

    async def stays(self) -> None:
        assert await self.receive_nothing(0.1)
        await self.send_input({"type": "websocket.disconnect", "code": 1001})
        await self.wait()


async def login(user: User) -> tuple[AsyncClient, str]:
    browser = AsyncClient()
    await browser.aforce_login(user)
    return browser, browser.cookies["sessionid"].value


async def test_logout_closes_the_sockets_of_that_session_alone_and_at_once(ada):
    browser, cookie = await login(ada)
    _, elsewhere = await login(ada)
    here, there = await Socket(cookie).open(), await Socket(elsewhere).open()
    await browser.alogout()
    request = type("R", (), {"session": type("S", (), {"session_key": cookie})})
    await sync_to_async(user_logged_out.send)(User, request=request, user=ada)
    assert await here.closed() == (LOGGED_OUT, "logged out")
    await there.stays()


@pytest.mark.parametrize(
    "change",
    [lambda u: u.set_password("new"), lambda u: setattr(u, "is_active", False)],
    ids=["a new password", "deactivation"],
)
async def test_what_ends_a_login_closes_every_socket_of_the_user(ada, change):
    sockets = [await Socket((await login(ada))[1]).open() for _ in range(2)]
    change(ada)
    await ada.asave()
    for socket in sockets:
        assert await socket.closed() == (LOGGED_OUT, "logged out")


async def test_a_deleted_user_has_no_sockets(ada):
    socket = await Socket((await login(ada))[1]).open()
    await ada.adelete()
    assert (await socket.closed())[0] == LOGGED_OUT


async def test_other_changes_of_a_user_close_nothing(ada):
    socket = await Socket((await login(ada))[1]).open()
    ada.first_name = "Augusta"
    await ada.asave()
    await login(ada)
    await socket.stays()


async def _staff(user: User) -> None:
    user.is_staff = True
    await user.asave()


async def _permission(user: User) -> None:
    await user.user_permissions.aadd(await Permission.objects.afirst())


async def _group(user: User) -> None:
    await user.groups.aadd(await Group.objects.acreate(name="editors"))


async def _group_from_its_side(user: User) -> None:
    group = await Group.objects.acreate(name="editors")
    await group.user_set.aadd(user)


@pytest.mark.parametrize("change", [_staff, _permission, _group, _group_from_its_side])
async def test_changed_permissions_make_clients_come_back(ada, change):
    socket = await Socket((await login(ada))[1]).open()
    await change(ada)
    assert await socket.closed() == (1012, "permissions changed")


@pytest.mark.parametrize("verb", ["aadd", "aremove", "aclear"])
async def test_a_groups_permissions_concern_its_members_alone(ada, verb):
    group = await Group.objects.acreate(name="editors")
    permission = await Permission.objects.afirst()
    await group.user_set.aadd(ada)
    if verb != "aadd":
        await group.permissions.aadd(permission)
    other = await User.objects.acreate(username="eve")
    member = await Socket((await login(ada))[1]).open()
    stranger = await Socket((await login(other))[1]).open()
    await getattr(group.permissions, verb)(*([] if verb == "aclear" else [permission]))
    assert (await member.closed())[0] == 1012
    await stranger.stays()


async def test_a_group_that_is_emptied_concerns_its_members(ada):
    group = await Group.objects.acreate(name="editors")
    await group.user_set.aadd(ada)
    socket = await Socket((await login(ada))[1]).open()
    await group.user_set.aclear()
    assert (await socket.closed())[0] == 1012


async def test_without_any_message_the_sweep_finds_it(ada, monkeypatch, settings):
    settings.CHANNEL_LAYERS = {}
    monkeypatch.setattr(watching, "SWEEP_SECONDS", 0.05)
    (_, first), (browser, second), (_, third) = [await login(ada) for _ in range(3)]
    eve = await User.objects.acreate(username="eve")
    gone, other = await Socket(second).open(), await Socket((await login(eve))[1]).open()
    await browser.session.adelete() if hasattr(browser, "session") else None
    await browser.alogout()
    assert (await gone.closed())[0] == LOGGED_OUT
    sockets = [await Socket(cookie).open() for cookie in (first, third)]
    await User.objects.filter(pk=ada.pk).aupdate(is_active=False)  # which sends no signal
    for socket in sockets:
        assert (await socket.closed())[0] == LOGGED_OUT
    await other.stays()


async def test_a_client_identified_later_is_watched_from_then_on(ada):
    async def by_message(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        scope["tandem.identified"](ada)
        await listens_after_accept(scope, receive)

    async def listens_after_accept(scope, receive):
        scope["ended"].append((await receive()).get("code"))

    socket = await Socket("", by_message).open()
    await eventually(listening)
    ada.set_password("new")
    await ada.asave()
    assert (await socket.closed())[0] == LOGGED_OUT


async def test_strangers_are_not_watched_and_nothing_stays_behind(ada):
    stranger = await Socket("").open()
    assert not watch._entries
    await stranger.stays()
    socket = await Socket((await login(ada))[1]).open()
    assert len(watch._entries) == 1
    assert GROUP in get_channel_layer().groups
    await socket.stays()
    assert not watch._entries
    await eventually(lambda: all(task.done() for task in watch._tasks))
    assert not get_channel_layer().groups.get(GROUP)


async def test_plain_requests_pass(ada):
    seen = []

    async def application(scope, receive, send):
        seen.append((scope, receive, send))

    scope = {"type": "http"}
    await CloseRevoked(application)(scope, "receive", "send")
    assert seen == [(scope, "receive", "send")]


@pytest.mark.parametrize("engine", ["db", "cache", "cached_db", "file"])
def test_sessions_are_looked_up_in_whatever_holds_them(settings, engine, tmp_path):
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    settings.SESSION_FILE_PATH = str(tmp_path)
    from importlib import import_module

    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store["a"] = 1
    store.create()
    assert alive({store.session_key, "x" * 32}) == {store.session_key}
    store.delete()
    assert alive({store.session_key}) == set()
    assert alive(set()) == set()


def test_sessions_in_signed_cookies_cannot_end(settings):
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    assert alive({"anything"}) == {"anything"}


# --- event streams, by the middleware that serve() puts around any site ---


class Stream(Communicator):
    """A request with a session cookie whose answer is an event stream that never ends."""

    def __init__(self, cookie: str, kind: bytes = b"text/event-stream") -> None:
        async def application(scope, receive, send):
            await receive()
            await send(
                {"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]}
            )
            await send({"type": "http.response.body", "body": b"data: 1", "more_body": True})
            assert (await receive())["type"] == "http.disconnect"

        headers = [(b"cookie", f"sessionid={cookie}".encode())]
        scope = {"type": "http", "path": "/", "headers": headers}
        super().__init__(EventStreams(EndWithLogin(application)), scope)

    async def open(self) -> Stream:
        await self.send_input({"type": "http.request"})
        for _ in range(2):
            await self.receive_output()
        return self

    async def ended(self) -> None:
        last = await self.receive_output()
        assert (last["body"], last["more_body"]) == (b"", False)
        await self.wait()


async def _logs_out(user: User, browser: AsyncClient) -> None:
    await browser.alogout()


async def _new_password(user: User, browser: AsyncClient) -> None:
    user.set_password("new")
    await user.asave()


async def _session_deleted(user: User, browser: AsyncClient) -> None:
    await Session.objects.all().adelete()


async def _deactivated_by_sql(user: User, browser: AsyncClient) -> None:
    await User.objects.filter(pk=user.pk).aupdate(is_active=False)


async def _deleted(user: User, browser: AsyncClient) -> None:
    await user.adelete()


@pytest.mark.parametrize(
    "end", [_logs_out, _new_password, _session_deleted, _deactivated_by_sql, _deleted]
)
async def test_streams_and_sockets_of_any_site_end_with_the_login(ada, monkeypatch, end):
    monkeypatch.setattr(watching, "SWEEP_SECONDS", 0.1)
    browser, cookie = await login(ada)
    stream = await Stream(cookie).open()
    socket = Socket(cookie)
    socket.application = EndWithLogin(listens)
    await socket.send_input({"type": "websocket.connect"})
    assert (await socket.receive_output())["type"] == "websocket.accept"
    await end(ada, browser)
    await stream.ended()
    assert (await socket.receive_output())["code"] == LOGGED_OUT
    await socket.wait()
    assert not watch._entries


async def test_a_strangers_stream_and_another_answer_are_not_watched(ada):
    _, cookie = await login(ada)
    for request in (await Stream("").open(), await Stream(cookie, b"text/html").open()):
        assert not watch._entries
        await request.send_input({"type": "http.disconnect"})
        await request.wait()


# --- user models of others ---


async def test_a_right_that_a_model_works_out_closes_a_socket_when_it_changes_only(
    ada, monkeypatch
):
    """``is_staff`` as a property, which asks the database: no look may close for nothing."""
    monkeypatch.setattr(watching, "RIGHTS", ("password", "is_active", "is_lead"))
    monkeypatch.setattr(
        User, "is_lead", property(lambda user: user.groups.filter(name="leads").exists()), False
    )
    socket = await Socket((await login(ada))[1]).open()
    for _ in range(3):
        await watch.check(list(watch._entries))
    assert await socket.receive_nothing(0.1)
    through = User.groups.through
    lead = await Group.objects.acreate(name="leads")
    await through.objects.abulk_create([through(user=ada, group=lead)])  # no signal
    await watch.check(list(watch._entries))
    assert await socket.closed() == (1012, "permissions changed")


async def test_a_sweep_that_fails_unexpectedly_begins_again(ada, monkeypatch):
    monkeypatch.setattr(watching, "SWEEP_SECONDS", 0.05)
    monkeypatch.setattr("tandem.background.FIRST_WAIT_SECONDS", 0)
    failed = asyncio.Event()
    real = watching._rights_now

    def fails_once(users):
        if not failed.is_set():
            failed.set()
            raise ZeroDivisionError
        return real(users)

    monkeypatch.setattr(watching, "_rights_now", fails_once)
    socket = await Socket((await login(ada))[1]).open()
    await User.objects.filter(pk=ada.pk).aupdate(is_active=False)
    assert (await socket.closed())[0] == LOGGED_OUT
    assert failed.is_set()
