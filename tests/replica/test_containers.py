"""Each container can do what it must, and no more."""

from __future__ import annotations

import pytest

from tandem.facts import KINDS
from tests.stack import Stack

INSTANCES = [f"{kind}-{n}" for kind in KINDS for n in (1, 2)]
ALL = ["nginx-1", *INSTANCES, "redis-1", "postgres-1"]


@pytest.mark.parametrize("name", ALL)
def test_runs_without_root_without_capabilities_on_a_file_system_read_only(stack: Stack, name: str):
    state = stack.inspect(name)
    pid = state["State"]["Pid"]
    status = stack.run(
        "grep", "-E", "^(Uid|CapEff|CapBnd|NoNewPrivs)", f"/proc/{pid}/status"
    ).stdout
    values = dict(line.split(":", 1) for line in status.splitlines())
    assert "0" not in values["Uid"].split()
    assert int(values["CapEff"], 16) == 0
    assert int(values["CapBnd"], 16) == 0
    assert values["NoNewPrivs"].strip() == "1"
    assert state["HostConfig"]["ReadonlyRootfs"]


@pytest.mark.parametrize("name", ["redis-1", "postgres-1"])
def test_the_data_stores_have_no_network(stack: Stack, name: str):
    assert list(stack.inspect(name)["NetworkSettings"]["Networks"]) == ["none"]


def test_only_nginx_publishes_ports_and_on_loopback_only(stack: Stack):
    for name in ALL:
        published = [
            p
            for ports in (stack.inspect(name)["NetworkSettings"]["Ports"] or {}).values()
            for p in ports or []
        ]
        if name == "nginx-1":
            assert {p["HostIp"] for p in published} == {"127.0.0.1"}
        else:
            assert not published


def test_the_sockets_are_closed_to_others(stack: Stack):
    modes = stack.compose(
        "exec", "-T", "wsgi", "sh", "-c", "stat -c '%a %n' /run/tandem /run/tandem/*.sock"
    )
    lines = modes.split("\n")
    assert lines[0].split()[0] == "2750"
    assert len([line for line in lines if line.startswith("660 ")]) == len(INSTANCES)


def test_the_secret_key_is_in_no_environment_and_no_image(stack: Stack):
    key = stack.manage("from django.conf import settings; print(settings.SECRET_KEY)").split()[-1]
    assert len(key) >= 50
    for name in ("wsgi-1", "asgi-1", "notify-1"):
        assert key not in str(stack.inspect(name))
        pid = stack.inspect(name)["State"]["Pid"]
        assert key not in stack.run("cat", f"/proc/{pid}/environ", f"/proc/{pid}/cmdline").stdout


def test_connections_to_postgresql_fit_what_it_allows(stack: Stack):
    environment = dict(e.split("=", 1) for e in stack.inspect("wsgi-1")["Config"]["Env"])
    number = {k: int(v) for k, v in environment.items() if v.isdecimal()}
    wsgi = number["WSGI_INSTANCES"] * number["WSGI_WORKERS"] * number["WSGI_THREADS"]
    asgi = number["ASGI_INSTANCES"] * number["ASGI_DATABASE_POOL"]
    assert number["ASGI_THREADS"] < number["ASGI_DATABASE_POOL"]
    notify = number["NOTIFY_INSTANCES"] * number["NOTIFY_THREADS"]
    assert wsgi + asgi + notify + 10 <= int(stack.sql("SHOW max_connections"))
