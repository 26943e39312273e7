"""nginx's files for a server with an nginx of its own."""

from __future__ import annotations

import re

import pytest

from tandem.ops.nginx.existing import render
from tandem.ops.routes.model import Route
from tests.stack import ROOT

SETTINGS = {"SERVER_NAMES": "example.org", "ASGI_INSTANCES": "2"}
WEBSOCKET = (ROOT / "deploy/nginx/snippets/websocket.conf").read_text()
ROUTES = [
    Route("/", "wsgi"),
    Route("/feed/", "asgi"),
    Route("/ws/", "asgi", "websocket"),
]


def test_only_what_goes_to_asgi_is_added():
    files = render(SETTINGS, ROUTES, WEBSOCKET)
    assert re.findall(r"location (\S+)", files["locations.conf"]) == ["/feed/", "/ws/"]
    assert files["http.conf"].count("server unix:") == 2


def test_only_a_socket_is_upgraded_and_may_be_silent_for_a_day():
    text = render(SETTINGS, ROUTES, WEBSOCKET)["locations.conf"]
    plain, socket = text.split("location /ws/")
    assert "Upgrade" not in plain
    assert re.findall(r"proxy_read_timeout (\S+);", text) == re.findall(
        r"proxy_read_timeout (\S+);", WEBSOCKET
    )
    assert "proxy_set_header Upgrade websocket;" in socket


def test_every_name_is_ours():
    files = render(SETTINGS, ROUTES, WEBSOCKET)
    for name in re.findall(r"(?m)^(?:upstream|map \S+) \$?(\w+)", files["http.conf"]):
        assert name.startswith("tandem_")


def test_nothing_to_add_is_said_so():
    with pytest.raises(ValueError, match="no route has upstream asgi"):
        render(SETTINGS, [Route("/", "wsgi")], WEBSOCKET)
