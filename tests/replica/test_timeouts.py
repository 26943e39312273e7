"""The timeout ladder (docs/timeouts.md), by the values in force."""

from __future__ import annotations

import json
import re

import pytest

from tandem.facts import KINDS
from tandem.streams import HEARTBEAT_SECONDS
from tests.stack import Stack

SOCKETS = ("/ws/", "/ws/notifications/")


@pytest.fixture(scope="module")
def nginx(stack: Stack) -> str:
    """Return nginx's whole effective configuration."""
    return stack.compose("exec", "-T", "nginx", "nginx", "-T")


@pytest.fixture(scope="module")
def asgi(stack: Stack) -> dict[str, float]:
    """Return the environment of the running Uvicorn, its numbers as numbers."""
    text = stack.compose("exec", "-T", "asgi", "sh", "-c", "tr '\\0' '\\n' </proc/1/environ")
    pairs = (line.partition("=") for line in text.splitlines())
    return {name: float(value) for name, _, value in pairs if re.fullmatch(r"\d+", value)}


@pytest.fixture(scope="module")
def wsgi(stack: Stack) -> dict[str, int]:
    """Return Gunicorn's resolved settings that are whole numbers."""
    text = stack.compose(
        "exec", "-T", "-e", "WSGI_APPLICATION=config.wsgi:application", "wsgi", "gunicorn",
        "--print-config", "--config", "/srv/tandem/current/deploy/gunicorn.conf.py",
    )  # fmt: skip
    return {name: int(n) for name, n in re.findall(r"^(\w+)\s+= (\d+)$", text, re.MULTILINE)}


def locations(nginx: str) -> dict[str, str]:
    """Return each proxied location's directives, includes resolved."""
    files = dict(
        re.findall(r"# configuration file (\S+):\n(.*?)(?=# configuration file |\Z)", nginx, re.S)
    )

    def resolve(text: str) -> str:
        return re.sub(r"include (/\S+?);", lambda m: resolve(files.get(m[1], "")), text)

    text = re.sub(r"#.*", "", files["/etc/tandem/nginx/routes.conf"])
    return {
        path: resolve(body) for path, body in re.findall(r"location (\S+) \{(.*?)\n\}", text, re.S)
    }


def seconds(directive: str, text: str) -> int:
    """Return the seconds of the only ``directive`` in ``text``."""
    values = re.findall(rf"^\s*{directive} (\d+)(s|m|h)?;", text, re.MULTILINE)
    assert len(values) == 1, (directive, values)
    return int(values[0][0]) * {"m": 60, "h": 3600}.get(values[0][1], 1)


def test_sockets_may_be_silent_for_a_day_and_nothing_else(nginx: str):
    found = {path: seconds("proxy_read_timeout", body) for path, body in locations(nginx).items()}
    for path in SOCKETS:
        assert found.pop(path) == 86400
    assert found.pop("/events/") > 2 * HEARTBEAT_SECONDS
    assert found
    assert all(10 <= value <= 120 for value in found.values())


def test_only_socket_locations_forward_an_upgrade(nginx: str):
    for path, body in locations(nginx).items():
        forwarded = re.findall(r"proxy_set_header Upgrade (\S+);", body)
        # Of a mixed location: only if the client asks, from a page of ours (maps.conf).
        value = "websocket" if path in SOCKETS else "$mixed_upgrade" if path == "/legacy/" else '""'
        assert forwarded[-1] == value, path
    for path in SOCKETS:
        assert "proxy_buffering off;" in locations(nginx)[path]


def test_pings_come_and_are_given_up_long_before_the_read_timeout(
    nginx: str, asgi: dict[str, float]
):
    ping = asgi["UVICORN_WS_PING_INTERVAL"]
    assert 0 < ping < 60  # what middleboxes commonly allow
    read = seconds("proxy_read_timeout", locations(nginx)["/ws/"])
    assert ping + asgi["UVICORN_WS_PING_TIMEOUT"] < read


def test_a_socket_ends_before_any_group_could_forget_it(stack: Stack, asgi: dict[str, float]):
    # The pub/sub layer forgets nobody; the core layer, which a site may use, does after
    # group_expiry: its default is what a socket must stay under.
    expiry = stack.manage(
        "import inspect; from channels_redis.core import RedisChannelLayer as L;"
        "print(inspect.signature(L.__init__).parameters['group_expiry'].default)"
    )
    assert asgi["SOCKET_MAX_AGE_SECONDS"] < int(expiry.split()[-1])


def test_nginx_drops_idle_upstream_connections_before_the_servers_do(
    nginx: str, asgi: dict[str, float], wsgi: dict[str, int]
):
    upstreams = re.findall(rf"upstream (?:{'|'.join(KINDS)}) \{{(.*?)\n\}}", nginx, re.S)
    assert len(upstreams) == len(KINDS)
    for upstream in upstreams:
        kept = seconds("keepalive_timeout", upstream)
        assert kept < wsgi["keepalive"]
        assert kept < asgi["UVICORN_TIMEOUT_KEEP_ALIVE"]


def test_what_is_under_way_may_end_before_the_kill(
    stack: Stack, asgi: dict[str, float], wsgi: dict[str, int]
):
    config = json.loads(stack.compose("config", "--format", "json"))
    for service, graceful in {
        "asgi": asgi["UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN"],
        "wsgi": wsgi["graceful_timeout"],
    }.items():
        grace = stack.inspect(f"{service}-1")["Config"]["StopTimeout"]
        assert str(grace) in config["services"][service]["stop_grace_period"]
        assert graceful < grace


def test_a_reload_leaves_no_old_nginx_worker_for_a_day(nginx: str):
    assert seconds("worker_shutdown_timeout", nginx) <= 600
