"""Redis and PostgreSQL: who may connect, what they keep, and whether all connections fit."""

from __future__ import annotations

import re

from tests.checkout import ROOT
from tests.unit.deploy.test_compose import SETTINGS
from tests.unit.deploy.test_units import SERVERS, service


def redis() -> dict[str, str]:
    """Return Redis' settings: the last value of a name counts."""
    lines = (ROOT / "deploy/redis/tandem.conf").read_text().splitlines()
    return dict(line.split(" ", 1) for line in lines if line and not line.startswith("#"))


def postgres() -> dict[str, str]:
    """Return PostgreSQL's settings."""
    text = (ROOT / "deploy/postgres/tandem.conf").read_text()
    return dict(re.findall(r"(?m)^(\w+) = '?([^'#\n]*?)'? *(?:#.*)?$", text))


def rules(name: str) -> list[list[str]]:
    """Return the rules of pg_hba.conf or pg_ident.conf, word by word."""
    lines = (ROOT / "deploy/postgres" / name).read_text().splitlines()
    return [line.split() for line in lines if line and not line.startswith("#")]


def test_redis_is_reached_by_its_socket_alone():
    assert redis()["port"] == "0"
    assert redis()["unixsocket"] == "/run/redis-tandem/redis-server.sock"
    assert redis()["unixsocketperm"] == "770"
    assert "bind" not in redis()


def test_redis_writes_nothing_and_never_drops_silently():
    found = redis()
    assert found["save"] == '""'
    assert found["appendonly"] == "no"
    assert found["maxmemory-policy"] == "noeviction"
    assert found["maxmemory"] == "256mb"
    assert found["timeout"] == "0"  # an idle subscriber is no fault


def test_a_subscriber_that_does_not_read_is_cut_off():
    assert redis()["client-output-buffer-limit"] == "pubsub 64mb 16mb 60"


def test_postgres_is_reached_by_its_socket_alone_and_by_the_kernels_word():
    assert postgres()["listen_addresses"] == ""
    assert postgres()["unix_socket_directories"] == "/run/postgresql"
    assert rules("pg_hba.conf") == [["local", "all", "all", "peer", "map=tandem"]]


def test_only_the_sites_processes_are_its_role():
    mapped = rules("pg_ident.conf")
    assert mapped[0] == ["tandem", "/^(.*)$", r"\1"]  # everybody is himself
    users = {service(kind)["Service", "User"] for kind in (*SERVERS, "process")}
    assert {(user, role) for _, user, role in mapped[1:]} == {(user, "tandem") for user in users}


def test_a_forgotten_transaction_ends():
    assert postgres()["idle_in_transaction_session_timeout"] == "5min"
    assert postgres()["timezone"] == "UTC"


def test_the_connections_of_the_shipped_settings_fit_into_postgresql():
    count = {name: int(value) for name, value in SETTINGS.items() if value.isdecimal()}
    wanted = (
        count["WSGI_INSTANCES"] * count["WSGI_WORKERS"] * count["WSGI_THREADS"]
        + count["ASGI_INSTANCES"] * count["ASGI_DATABASE_POOL"]
        + count["NOTIFY_INSTANCES"] * count["NOTIFY_THREADS"]
    )
    assert wanted + 20 <= int(postgres()["max_connections"])
    # One more of each kind while a release is tried, on servers and here.
    assert 2 * wanted <= int(postgres()["max_connections"])


def test_the_connections_of_the_shipped_settings_fit_into_redis():
    count = {name: int(value) for name, value in SETTINGS.items() if value.isdecimal()}
    processes = (
        count["WSGI_INSTANCES"] * count["WSGI_WORKERS"]
        + count["ASGI_INSTANCES"]
        + count["NOTIFY_INSTANCES"]
    )
    assert 4 * processes <= int(redis()["maxclients"]) / 2
