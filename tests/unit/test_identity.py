"""Who served it: headers, pages, health."""

from __future__ import annotations

import pytest

from tandem.identity import AsgiHeaders, identity, wsgi_headers


@pytest.fixture(autouse=True)
def _unit(monkeypatch):
    monkeypatch.setenv("TANDEM_UPSTREAM", "wsgi@2")
    monkeypatch.setenv("TANDEM_RELEASE", "r7")
    monkeypatch.setenv("TANDEM_IDENTITY_HEADERS", "on")


def wsgi_response() -> list[tuple[str, str]]:
    got = []

    def application(environ, start_response):
        start_response("200 OK", [("A", "b")])
        return [b""]

    wsgi_headers(application)({}, lambda status, headers: got.extend(headers))
    return got


def test_every_wsgi_response_names_its_release():
    assert wsgi_response() == [("A", "b"), ("X-Release", "r7")]


def test_the_headers_can_be_switched_off(monkeypatch):
    monkeypatch.setenv("TANDEM_IDENTITY_HEADERS", "off")
    assert wsgi_response() == [("A", "b")]


@pytest.mark.parametrize("event", sorted(AsgiHeaders.EVENTS))
async def test_every_asgi_response_and_handshake_names_its_release(event):
    sent = []

    async def application(scope, receive, send):
        await send({"type": event})
        await send({"type": "websocket.send", "text": "x"})

    async def send(message):
        sent.append(message)

    await AsgiHeaders(application)({}, None, send)
    assert sent[0]["headers"] == [(b"x-release", b"r7")]
    assert sent[1] == {"type": "websocket.send", "text": "x"}


def test_identity_is_the_units():
    assert identity()["upstream"] == "wsgi@2"
    assert identity()["release"] == "r7"


@pytest.mark.example
@pytest.mark.django_db
def test_pages_show_what_served_them(client):
    page = client.get("/").content.decode()
    assert "wsgi@2" in page
    assert "r7" in page
