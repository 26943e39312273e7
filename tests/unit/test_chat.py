"""The chat without servers: numbers, frames, history; Redis and two workers come later."""

from __future__ import annotations

import asyncio
import uuid
from types import SimpleNamespace

import pytest
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.contrib.auth.models import AnonymousUser

from chat import consumers, feed
from chat.models import Message, messages_after, post
from tests.machine import HANG_SECONDS
from tests.patience import eventually

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def demo(django_user_model):
    """Give a user."""
    return django_user_model.objects.create_user("demo")


async def frames(socket, count: int) -> list[dict]:
    return [await socket.receive_json_from() for _ in range(count)]


def test_messages_are_numbered_per_room_without_a_hole(demo):
    numbers = [post(room, demo, "x").number for room in ("a", "b", "a", "a")]
    assert numbers == [1, 1, 2, 3]


def test_a_message_sent_again_is_stored_once(demo):
    key = uuid.uuid4()
    first, again = post("a", demo, "x", key), post("a", demo, "x", key)
    assert first.pk == again.pk
    assert Message.objects.count() == 1
    assert post("a", demo, "y").number == 2


def test_messages_after_a_number_come_oldest_first(demo):
    for n in range(5):
        post("a", demo, str(n))
    assert [m["id"] for m in messages_after("a", 2, limit=2)] == [3, 4]


async def test_a_stranger_is_not_let_in(chat_socket):
    connected, _ = await chat_socket(AnonymousUser()).connect()
    assert not connected


async def test_two_sockets_talk(demo, chat_socket):
    one, two = chat_socket(demo), chat_socket(demo)
    assert (await one.connect())[0]
    assert (await two.connect())[0]
    await one.send_json_to({"message": "hello"})
    for socket in (one, two):
        (frame,) = await frames(socket, 1)
        assert (frame["id"], frame["message"], frame["user"]) == (1, "hello", "demo")
        assert "sent_at" in frame
        await socket.disconnect()


@pytest.mark.parametrize("query", ["after=1", ""])
async def test_who_resumes_gets_only_what_is_missing(demo, chat_socket, query, monkeypatch):
    monkeypatch.setattr(consumers, "RESUME_GRACE_SECONDS", HANG_SECONDS)
    for text in ("one", "two", "three"):
        await database_sync_to_async(post)("lobby", demo, text)
    socket = chat_socket(demo, query=query)
    await socket.connect()
    if not query:
        await socket.send_json_to({"resume": 1})
    await socket.send_json_to({"message": "four"})
    assert [f["id"] for f in await frames(socket, 3)] == [2, 3, 4]
    await socket.disconnect()


async def test_who_says_nothing_gets_recent_history(demo, chat_socket, settings, monkeypatch):
    monkeypatch.setattr(consumers, "RESUME_GRACE_SECONDS", 0.01)
    settings.CHAT_HISTORY = 2
    for text in ("one", "two", "three"):
        await database_sync_to_async(post)("lobby", demo, text)
    socket = chat_socket(demo, query="")
    await socket.connect()
    assert [f["id"] for f in await frames(socket, 2)] == [2, 3]
    await socket.disconnect()


async def test_a_number_from_the_future_does_not_wait_for_it(demo, chat_socket):
    socket = chat_socket(demo, query="after=1000000")
    await socket.connect()
    await socket.send_json_to({"message": "first"})
    assert (await frames(socket, 1))[0]["id"] == 1
    await socket.disconnect()


async def test_what_the_layer_lost_is_read_from_the_database(demo, chat_socket, monkeypatch):
    monkeypatch.setattr(feed, "SWEEP_SECONDS", 0.02)
    socket = chat_socket(demo)
    await socket.connect()
    await database_sync_to_async(post)("lobby", demo, "nobody told the layer")
    assert (await frames(socket, 1))[0]["id"] == 1
    await socket.disconnect()


async def test_deleted_messages_do_not_stop_the_feed(demo, chat_socket):
    for text in ("one", "two", "three"):
        await database_sync_to_async(post)("lobby", demo, text)
    await Message.objects.filter(number__gte=2).adelete()
    socket = chat_socket(demo)
    await socket.connect()
    assert (await frames(socket, 1))[0]["id"] == 1
    await socket.send_json_to({"message": "four"})
    assert (await frames(socket, 1))[0]["id"] == 4
    await socket.disconnect()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "not-json"),
        ("[1]", "not-an-object"),
        ("{}", "unknown-frame"),
        ('{"message": ""}', "bad-message"),
        ('{"message": 7}', "bad-message"),
        ('{"message": "a\\u0000b"}', "bad-message"),
        ('{"message": "x", "key": "k"}', "bad-key"),
        ('{"resume": "1"}', "bad-resume"),
        ('{"resume": true}', "bad-resume"),
        ('{"message": "' + "x" * 4001 + '"}', "too-long"),
    ],
)
async def test_a_bad_frame_is_answered_and_the_socket_lives(demo, chat_socket, text, code):
    socket = chat_socket(demo)
    await socket.connect()
    await socket.send_to(text)
    assert (await frames(socket, 1))[0]["error"] == code
    await socket.send_json_to({"message": "still here"})
    assert (await frames(socket, 1))[0]["id"] == 1
    await socket.disconnect()


async def test_an_acknowledged_message_carries_its_number(demo, chat_socket):
    socket, key = chat_socket(demo), str(uuid.uuid4())
    await socket.connect()
    await socket.send_json_to({"message": "hello", "key": key})
    got = await frames(socket, 2)
    assert {"ack": key, "id": 1} in got
    await socket.disconnect()


async def test_presence_names_who_is_there(demo, chat_socket):
    socket = chat_socket(demo)
    await socket.connect()
    await socket.send_json_to({"watch": True})
    got = await frames(socket, 2)
    assert got[0]["worker"]
    assert got[1] == {"presence": ["demo"]}
    await socket.disconnect()


async def test_a_closed_socket_leaves_nothing_behind(demo, chat_socket):
    from chat.roster import roster
    from tandem.leases import leases

    for _ in range(20):
        socket = chat_socket(demo)
        await socket.connect()
        assert get_channel_layer().groups
        await socket.disconnect()
    assert not feed.feed._rooms
    assert not leases._held
    assert not roster._watchers
    assert not get_channel_layer().groups  # no membership: nothing is sent to the dead
    await eventually(lambda: len(asyncio.all_tasks()) < 5)


async def test_a_client_that_goes_during_the_handshake_leaves_no_membership(demo, chat_socket):
    socket = chat_socket(demo)
    application = socket.application

    async def gone(scope, receive, send):
        async def refuse(event):
            assert get_channel_layer().groups  # it has joined: nothing is missed in between
            raise OSError("gone")

        await application(scope, receive, refuse)

    socket.application = gone
    await socket.send_input({"type": "websocket.connect"})
    with pytest.raises(OSError, match="gone"):
        await socket.wait()
    assert not get_channel_layer().groups


def test_speaking_works_without_javascript(client, demo):
    client.force_login(demo)
    page = client.post("/chat/lobby/", {"message": "plain form"}, follow=True)
    assert "plain form" in page.content.decode()
    assert client.post("/chat/lobby/", {"message": " "}).status_code == 400
    assert client.get("/chat/?room=no/such").status_code == 302


# --- tokens ---


@pytest.fixture
def stranger(chat_socket, monkeypatch):
    """Give a factory of sockets without a session, which have all the time to bring a token."""
    monkeypatch.setattr("chat.login.FIRST_MESSAGE_SECONDS", HANG_SECONDS)

    def make(query: str = "after=0", subprotocols: tuple[str, ...] = ()):
        socket = chat_socket(AnonymousUser(), query=query)
        socket.scope |= {
            "subprotocols": list(subprotocols),
            "tandem.identified": lambda *login: None,
        }
        return socket

    return make


async def token(user) -> str:
    from tokens.tokens import token_for

    return await database_sync_to_async(token_for)(user)


async def test_a_token_may_come_as_a_subprotocol_and_is_not_echoed(demo, stranger):
    socket = stranger(subprotocols=("tandem", f"token.{await token(demo)}"))
    assert await socket.connect() == (True, "tandem")
    await socket.disconnect()


async def test_a_token_may_come_in_the_address(demo, stranger):
    socket = stranger(f"after=0&token={await token(demo)}")
    assert (await socket.connect())[0]
    await socket.disconnect()


async def test_a_token_may_be_the_first_message(demo, stranger):
    socket = stranger(subprotocols=("tandem",))
    assert await socket.connect() == (True, "tandem")
    await socket.send_json_to({"token": await token(demo)})
    await socket.send_json_to({"message": "hello"})
    (frame,) = await frames(socket, 1)
    assert frame["user"] == "demo"
    await socket.disconnect()


@pytest.mark.parametrize("bad", ["", "x", "x" * 1000, None, 7])
async def test_a_wrong_token_in_the_first_message_ends_the_socket(demo, stranger, bad):
    socket = stranger(subprotocols=("tandem",))
    await socket.connect()
    await socket.send_json_to({"token": bad})
    assert (await socket.receive_output())["code"] == 4401
    await socket.disconnect()


async def test_who_does_not_say_who_it_is_is_let_go(demo, stranger, monkeypatch):
    monkeypatch.setattr("chat.login.FIRST_MESSAGE_SECONDS", 0.05)
    socket = stranger(subprotocols=("tandem",))
    await socket.connect()
    assert (await socket.receive_output())["code"] == 4401
    await socket.disconnect()


async def test_an_old_token_opens_nothing(demo, stranger, settings):
    settings.SESAME_MAX_AGE = 0
    old = await token(demo)
    for socket in (stranger(f"token={old}"), stranger(subprotocols=("tandem", f"token.{old}"))):
        assert not (await socket.connect())[0]


async def test_a_deactivated_users_token_opens_nothing(demo, stranger):
    good = await token(demo)
    demo.is_active = False
    await demo.asave()
    assert not (await stranger(f"token={good}").connect())[0]


# --- scrolling back, typing, floods ---


async def test_older_messages_come_page_by_page(demo, chat_socket, settings):
    settings.CHAT_HISTORY = 3
    for n in range(1, 6):
        await database_sync_to_async(post)("lobby", demo, str(n))
    socket = chat_socket(demo, query="after=5")
    await socket.connect()
    await socket.send_json_to({"before": 5})
    await socket.send_json_to({"before": 2})
    await socket.send_json_to({"before": "x"})
    first, last, error = await frames(socket, 3)
    assert ([m["id"] for m in first["history"]], first["more"]) == ([2, 3, 4], True)
    assert ([m["id"] for m in last["history"]], last["more"]) == ([1], False)
    assert error["error"] == "bad-before"
    await socket.disconnect()


async def test_typing_is_told_to_others_and_seldom(
    demo, django_user_model, chat_socket, monkeypatch
):
    now = [100.0]
    monkeypatch.setattr(consumers, "time", SimpleNamespace(monotonic=lambda: now[0]))
    guest = await database_sync_to_async(django_user_model.objects.create_user)("guest")
    one, two = chat_socket(demo), chat_socket(guest)
    await one.connect()
    await two.connect()
    for text in ("first", "second"):
        for _ in range(20):
            await one.send_json_to({"typing": True})
        await one.send_json_to({"message": text})
        assert await two.receive_json_from() == {"typing": ["demo"]}
        assert (await two.receive_json_from())["message"] == text
        assert (await one.receive_json_from())["message"] == text
        now[0] += consumers.TYPING_SECONDS
    for socket in (one, two):
        await socket.disconnect()


async def test_a_flood_is_refused_and_then_ended(demo, chat_socket, settings):
    settings.CHAT_FRAMES_PER_SECOND, settings.CHAT_FRAMES_BURST = 0.001, 3
    socket = chat_socket(demo)
    await socket.connect()
    for n in range(7):
        await socket.send_json_to({"typing": bool(n)})
    errors = [(await socket.receive_json_from())["error"] for _ in range(4)]
    assert errors == ["unknown-frame", "too-fast", "too-fast", "too-fast"]
    assert (await socket.receive_output())["code"] == 1008
    await socket.disconnect()


async def test_the_limit_is_a_users_on_all_of_their_sockets(demo, chat_socket, settings):
    settings.CHAT_FRAMES_PER_SECOND, settings.CHAT_FRAMES_BURST = 0.001, 3
    one, two = chat_socket(demo), chat_socket(demo)
    for socket in (one, two):
        await socket.connect()
    for socket in (one, two, one, two):
        await socket.send_json_to({"watch": 0})
        (error,) = await frames(socket, 1)
    assert error["error"] == "too-fast"
    for socket in (one, two):
        await socket.disconnect()


# --- what no client may break ---


@pytest.mark.parametrize(
    "text",
    ['{"message": "\\ud800"}', '{"message": "x", "key": "\\udfff"}', '{"\\ud800": 1}', "1" * 5000],
)
async def test_a_frame_that_cannot_be_stored_is_refused_and_the_socket_lives(
    demo, chat_socket, text: str
):
    socket = chat_socket(demo)
    await socket.connect()
    await socket.send_to(text_data=text)
    await socket.send_json_to({"message": "after it"})
    refused, said = await frames(socket, 2)
    assert refused["error"] in ("not-text", "not-json")
    assert said["message"] == "after it"
    await socket.disconnect()


@pytest.mark.parametrize("digits", [19, 20, 5000])
async def test_whoever_has_seen_the_future_waits_for_what_comes(demo, chat_socket, digits: int):
    await database_sync_to_async(post)("lobby", demo, "before")
    socket = chat_socket(demo, query="after=" + "9" * digits)
    await socket.connect()
    await socket.send_json_to({"message": "now"})
    (said,) = await frames(socket, 1)
    assert said["message"] == "now"
    await socket.disconnect()


async def test_a_consumer_that_fails_leaves_nothing_behind(demo, chat_socket, monkeypatch):
    from chat.feed import feed
    from tandem.leases import leases

    def fails(*_: object) -> None:
        raise ZeroDivisionError

    socket = chat_socket(demo)
    await socket.connect()
    assert leases._held
    monkeypatch.setattr("chat.frames.parse", fails)
    await socket.send_to(text_data="{}")
    assert (await socket.receive_output(3))["code"] == 1011
    with pytest.raises(ZeroDivisionError):
        await socket.wait()
    assert not leases._held
    assert not feed._rooms
    assert not get_channel_layer().groups.get("chat.lobby")
