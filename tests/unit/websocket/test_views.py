"""S1: views at their addresses, by the middleware."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.test import AsyncClient, Client

from tests.stack import ROOT
from tests.unit.websocket import site


@pytest.fixture(autouse=True)
def anonymous(request, monkeypatch):
    """No database, except for the tests of users."""
    if "django_db" in request.keywords:
        return

    async def identify(scope):
        scope.setdefault("user", AnonymousUser())
        scope.setdefault("session", {})

    monkeypatch.setattr("tandem.websocket.middleware.identify", identify)


async def test_text_and_bytes_come_back_as_they_went(client):
    socket = client("/ws/echo/")
    await socket.open()
    await socket.say("hello")
    assert await socket.hear() == "hello"
    await socket.send_input({"type": "websocket.receive", "bytes": b"\0\xff"})
    assert await socket.hear() == b"\0\xff"
    await socket.leave()
    assert site.seen == ["echo ended"]
    assert await socket.receive_nothing()


async def test_a_view_gets_what_the_route_says(client):
    socket = client("/ws/greet/Ada/")
    await socket.open()
    assert json.loads(await socket.hear())["said"] == "good day Ada"
    assert await socket.closed() == (1000, "")


async def test_a_mounted_site_is_found_below_its_root_path(client):
    socket = client("/mount/ws/echo/", root_path="/mount")
    await socket.open()
    await socket.leave()


async def test_an_address_without_a_socket_gets_404_and_a_line_in_the_log(client, caplog):
    for path in ("/nothing/", "/page/"):
        assert await client(path).refused() == 404
    assert [record.getMessage() for record in caplog.records] == [
        "no WebSocket at /nothing/", "no WebSocket at /page/",
    ]  # fmt: skip
    assert not any(record.exc_info for record in caplog.records)


async def test_a_server_without_denial_responses_refuses_plainly(client):
    assert await client("/nothing/", extensions={}).refused() == 0


async def test_a_view_may_refuse(client):
    assert await client("/ws/refuse/").refused() == 0
    assert await client("/ws/forgetful/").refused() == 0


async def test_a_failing_view_is_logged_and_the_client_told(client, caplog):
    assert await client("/ws/fails-early/").refused() == 500
    socket = client("/ws/fails-late/")
    await socket.open()
    assert await socket.closed() == (1011, "internal error")
    assert [record.exc_info[1].args[0] for record in caplog.records] == ["early", "late"]


async def test_a_client_that_leaves_is_no_error(client, caplog):
    socket = client("/ws/insists/")
    await socket.open()
    await socket.leave()
    assert not caplog.records


async def test_everything_that_is_no_websocket_passes_unchanged(client):
    http = client("/ws/echo/", type="http")
    assert await http.receive_output() == {"type": "passed on", "scope": "http"}


def test_plain_http_at_a_sockets_address_gets_400(settings):
    settings.ROOT_URLCONF = "tests.unit.websocket.site"
    answer = Client().get("/ws/echo/")
    assert answer.status_code == 400
    assert b"WebSocket protocol only" in answer.content


# --- session and user ---


@pytest.mark.django_db(transaction=True)
async def test_session_and_user_are_those_of_a_request(client):
    user = await User.objects.acreate(username="ada")
    browser = AsyncClient()
    await browser.aforce_login(user)
    cookie = f"theme=dark; sessionid={browser.cookies['sessionid'].value}"
    socket = client("/ws/greet/you/", headers=[(b"cookie", cookie.encode())])
    await socket.open()
    assert json.loads(await socket.hear())["user"] == "ada"
    stranger = client("/ws/greet/you/")
    await stranger.open()
    assert json.loads(await stranger.hear())["user"] == "AnonymousUser"


@pytest.mark.django_db(transaction=True)
async def test_what_channels_has_found_out_is_kept(client):
    socket = client("/ws/greet/you/", user="from Channels", session={})
    await socket.open()
    assert json.loads(await socket.hear())["user"] == "from Channels"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "missing", [{"django.contrib.sessions"}, {"django.contrib.auth"}], ids=["sessions", "auth"]
)
async def test_a_site_without_users_has_sockets_all_the_same(client, monkeypatch, missing):
    from django.apps import apps

    installed = apps.is_installed
    monkeypatch.setattr(apps, "is_installed", lambda name: name not in missing and installed(name))
    socket = client("/ws/greet/you/")
    await socket.open()
    assert json.loads(await socket.hear())["user"] == "None"


def test_no_other_package_is_needed():
    """Neither Channels nor what it needs."""
    code = (
        "import sys; sys.modules.update(dict.fromkeys(('channels', 'daphne', 'redis')))\n"
        "import django; from django.conf import settings; settings.configure(); django.setup()\n"
        "import tandem.websocket, tandem.websocket.legacy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
