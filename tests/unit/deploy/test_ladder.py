"""docs/timeouts.md, read from the page: each figure is the one in the file that it names."""

from __future__ import annotations

import re

import pytest

from notifications.admission import FIRST_MESSAGE_SECONDS
from notifications.clients import CLOSE_SECONDS
from tandem.server.http import IDLE_SECONDS
from tandem.streams import HEARTBEAT_SECONDS
from tests.checkout import ROOT
from tests.unit.deploy.nginx import Nginx
from tests.unit.deploy.test_compose import SETTINGS
from tests.unit.deploy.test_nginx_proxy import seconds
from tests.unit.deploy.test_units import SERVERS, service, stop_seconds

PAGE = (ROOT / "docs/timeouts.md").read_text()
ROWS = dict(
    re.findall(r"(?m)^\| (.+?) \| [a-z ]*?([\d,.]+)(?: \(23 h\))?(?:; notify: \d+)? \|", PAGE)
)


def said(row: str) -> float:
    """Return the seconds of the row that begins so."""
    found = [value for name, value in ROWS.items() if name.startswith(row)]
    assert len(found) == 1, (row, found)
    return float(found[0].replace(",", ""))


def environment(name: str) -> dict[str, str]:
    """Return the variables of a file of deploy/."""
    lines = (ROOT / "deploy" / name).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def gunicorn(name: str) -> int:
    """Return a number of deploy/gunicorn.conf.py."""
    text = (ROOT / "deploy/gunicorn.conf.py").read_text()
    return int(re.findall(rf"(?m)^{name} = ([\d_]+)\b", text)[0])


TIMEOUTS = environment("timeouts.env")


@pytest.mark.parametrize(
    ("row", "variable"),
    [
        ("Uvicorn, and the notification server, ping", "UVICORN_WS_PING_INTERVAL"),
        ("and gives up without an answer", "UVICORN_WS_PING_TIMEOUT"),
        ("a socket is closed with 1012", "SOCKET_MAX_AGE_SECONDS"),
        ("Gunicorn and Uvicorn keep theirs", "UVICORN_TIMEOUT_KEEP_ALIVE"),
    ],
)
def test_uvicorns_figures_are_those_of_the_page(row: str, variable: str):
    assert int(TIMEOUTS[variable]) == said(row)


@pytest.mark.parametrize(
    ("row", "location", "directive"),
    [
        ("nginx waits for a byte of the worker on a socket", "/ws/", "proxy_read_timeout"),
        ("nginx waits for a client that takes nothing", "/ws/", "proxy_send_timeout"),
        ("nginx waits between two events", "/events/", "proxy_read_timeout"),
        ("nginx waits for an answer on any other path", "/", "proxy_read_timeout"),
        ("nginx waits for a connection to another server", "/", "proxy_connect_timeout"),
    ],
)
def test_nginx_figures_are_those_of_the_page(nginx: Nginx, row: str, location: str, directive: str):
    assert seconds(nginx.locations()[location].one(directive)) == said(row)


def test_gunicorns_figures_are_those_of_the_page():
    assert gunicorn("timeout") == said("Gunicorn kills a worker")
    assert gunicorn("keepalive") == said("Gunicorn and Uvicorn keep theirs")
    assert gunicorn("graceful_timeout") == said("work under way at a stop may take, in Gunicorn")


def test_other_figures_are_those_of_the_page(nginx: Nginx):
    assert said("an event stream without events") == HEARTBEAT_SECONDS
    assert said("a stopping Uvicorn leaves idle connections") == IDLE_SECONDS
    assert said("a stopping instance closes its sockets over") == int(
        SETTINGS["SOCKET_DRAIN_SECONDS"]
    )
    assert said("then the process is killed") == int(SETTINGS["STOP_SECONDS"])
    assert f"notify: {CLOSE_SECONDS:.0f} |" in PAGE
    shutdown = next(d["args"][0] for d in nginx.main if d["directive"] == "worker_shutdown_timeout")
    assert said("an old nginx worker ends") == seconds(shutdown)
    kept = {d["directive"]: d["args"] for d in nginx.upstreams()["asgi"]}["keepalive_timeout"][0]
    assert said("nginx keeps an idle connection") == seconds(kept)


def test_the_ladder_is_one(nginx: Nginx):
    drain = int(SETTINGS["SOCKET_DRAIN_SECONDS"])
    script = (ROOT / "deploy/run.sh").read_text()
    after = int(re.findall(r"UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN=\$\(\(.*\+ (\d+)\)\)", script)[0])
    assert said("and in Uvicorn") == drain + after
    assert said("and in a notification server") == drain + 2 * CLOSE_SECONDS
    for kind in SERVERS:
        assert max(drain + after, gunicorn("graceful_timeout")) < stop_seconds(service(kind))
    ping, patience = (int(TIMEOUTS[f"UVICORN_WS_PING_{name}"]) for name in ("INTERVAL", "TIMEOUT"))
    assert ping < 60
    assert ping + patience < seconds(nginx.locations()["/ws/"].one("proxy_read_timeout"))
    assert int(TIMEOUTS["SOCKET_MAX_AGE_SECONDS"]) < 86_400  # Channels' group_expiry
    assert said("nginx keeps an idle connection") < IDLE_SECONDS < gunicorn("keepalive")
    assert said("nginx waits for an answer on any other path") <= gunicorn("timeout")


def test_who_does_not_say_who_it_is_is_not_waited_for_as_the_page_says():
    page = (ROOT / "docs/notifications.md").read_text()
    assert f"first, within {FIRST_MESSAGE_SECONDS:.0f} s" in page


def test_uvicorn_does_what_the_pages_say():
    found = environment("uvicorn.env")
    assert found["UVICORN_WS"] == "tandem.server.websocket:TandemWebSocketProtocol"
    assert found["UVICORN_HTTP"] == "tandem.server.http:TandemHttpProtocol"
    assert found["UVICORN_LOOP"] == "uvloop"
    assert found["UVICORN_WS_PER_MESSAGE_DEFLATE"] == "false"
    # Its lines would hold query strings, and tokens travel there.
    assert found["UVICORN_ACCESS_LOG"] == "false"
    assert found["UVICORN_LOG_LEVEL"] == "warning"
    assert found["UVICORN_SERVER_HEADER"] == "false"
    assert found["UVICORN_FORWARDED_ALLOW_IPS"] == "*"
    assert found["UVICORN_LIFESPAN"] == "auto"


def test_gunicorn_does_what_the_pages_say():
    text = (ROOT / "deploy/gunicorn.conf.py").read_text()
    for line in (
        'worker_class = "gthread"', "accesslog = None", 'forwarded_allow_ips = "*"',
        'workers = int(os.environ["WSGI_WORKERS"])', 'threads = int(os.environ["WSGI_THREADS"])',
        'loglevel = "warning"', "control_socket_disable = True",
    ):  # fmt: skip
        assert re.search(rf"(?m)^{re.escape(line)}", text), line
    assert gunicorn("max_requests") > 10 * gunicorn("max_requests_jitter") / 2 > 0


def test_comments_that_say_how_long_nginx_keeps_its_side_say_what_it_does():
    kept = f"{said('nginx keeps an idle connection'):.0f}"
    settings = (ROOT / "deploy/timeouts.env").read_text()
    assert re.findall(r"more than nginx keeps its side \((\d+)\)", settings) == [kept]
    leaving = (ROOT / "tandem/server/http.py").read_text()
    assert re.findall(r"nginx ends an idle connection after (\d+) s", leaving) == [kept]


def test_an_instance_is_never_left_out_as_the_page_says(nginx: Nginx):
    assert (
        "it never leaves an\ninstance out (`max_fails=0`)"
        in (ROOT / "docs/architecture.md").read_text()
    )
    servers = [d["args"] for block in nginx.upstreams().values() for d in block
               if d["directive"] == "server"]  # fmt: skip
    assert len(servers) > 3
    assert all("max_fails=0" in args for args in servers)
