"""A Unix socket has no address; the client has one, and nginx says so."""

from __future__ import annotations

from typing import Any

import pytest

from tandem.server.client_address import wsgi


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"HTTP_X_FORWARDED_FOR": "2001:db8::7"}, "2001:db8::7"),
        ({"HTTP_X_FORWARDED_FOR": "192.0.2.7, 10.0.0.1"}, "192.0.2.7"),  # as Uvicorn takes it
        ({"HTTP_X_FORWARDED_FOR": ""}, "10.0.0.1"),
        ({}, "10.0.0.1"),
    ],
)
def test_an_application_is_given_the_clients_address(said: dict[str, str], expected: str):
    seen: list[Any] = []

    def application(environ, start_response):
        seen.append(environ["REMOTE_ADDR"])
        return [b""]

    wsgi(application)({"REMOTE_ADDR": "10.0.0.1", **said}, lambda *_: None)
    assert seen == [expected]
