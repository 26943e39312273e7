"""Connections that wait for a database which restarts."""

from __future__ import annotations

import pytest

from tandem.postgresql import patience as wait
from tandem.postgresql.waiting import OperationalError, patiently

AWAY = "connection is bad: connection to server on socket failed: No such file or directory"
STARTS = "connection failed: FATAL:  the database system is starting up"
REFUSED = 'connection failed: FATAL:  password authentication failed for user "tandem"'


class Server:
    """Refuses with each sentence in turn, then connects."""

    def __init__(self, *sentences: str) -> None:
        self._sentences = iter(sentences)

    def connect(self) -> str:
        for sentence in self._sentences:
            raise OperationalError(sentence)
        return "connected"


def test_a_server_that_restarts_is_waited_for():
    assert patiently(Server(AWAY, STARTS, AWAY).connect) == "connected"


def test_a_refusal_for_good_is_told_at_once():
    server = Server(REFUSED)
    with pytest.raises(OperationalError, match="password"):
        patiently(server.connect)
    assert server.connect() == "connected"  # it was asked once


def test_whoever_must_not_wait_is_told_at_once():
    before = wait.set(0)
    try:
        with pytest.raises(OperationalError, match="No such file"):
            patiently(Server(AWAY).connect)
    finally:
        wait.reset(before)


def test_a_pool_connects_by_the_same_patience():
    from django.db.utils import ConnectionHandler

    handler = ConnectionHandler(
        {
            "default": {
                "ENGINE": "tandem.postgresql", "NAME": "x", "HOST": "/nonexistent",
                "OPTIONS": {"pool": {"timeout": 1, "min_size": 0, "max_size": 1}},
            }
        }
    )  # fmt: skip
    pool = handler["default"].pool
    assert pool.connection_class.__name__ == "PatientConnection"
    assert pool.timeout == 1
