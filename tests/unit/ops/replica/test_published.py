"""What is asked over the published ports, of a site of the test's own, and what is said of it.

The engine is a program that runs what it is told to run in a container here; tests/replica has
a real one.
"""

from __future__ import annotations

import base64
import hashlib
import http.server
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tandem.ops.replica.published import forwarded
from tests.unit.ops.replica.test_up import Checkout, checkout, free_port  # noqa: F401 - the fixture

ENGINE = """#!/usr/bin/env bash
echo "$*" >>"$CALLS"
case "$*" in
ps*service=nginx*) echo "$COMPOSE_PROJECT_NAME-nginx-1" ;;
ps*service=asgi*) echo "$COMPOSE_PROJECT_NAME-asgi-1" ;;
exec*fullchain.pem) cat "$PEM" ;;
esac
"""
CALL = (
    "import sys; from tandem.ops.checkout.programs import command;"
    "from tandem.ops.replica import published; from tandem.ops.replica.stack import Stack;"
)
VERIFY = (
    sys.executable, "-c",
    f"{CALL} sys.exit(command(lambda: published.verify(Stack(), mend='mend' in sys.argv)))",
)  # fmt: skip
WELCOME = (sys.executable, "-c", f"{CALL} published.welcome(Stack())")
ACCEPT = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def certificate(folder: Path) -> tuple[Path, Path]:
    """Make a self-signed certificate and its key; return both files."""
    made = folder / "cert.pem", folder / "key.pem"
    folder.mkdir(exist_ok=True)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-subj", "/CN=here", "-addext", "subjectAltName=DNS:localhost",
         "-out", made[0], "-keyout", made[1]],
        check=True, capture_output=True,
    )  # fmt: skip
    return made


class Pages(http.server.BaseHTTPRequestHandler):
    """A small site: a page at each address, a WebSocket at one, and over HTTP redirects alone."""

    protocol_version = "HTTP/1.1"
    asked: list[str] = []  # of all requests
    bad: str = ""  # this address answers 502

    def do_GET(self) -> None:
        """Answer."""
        self.asked.append(self.path)
        if not isinstance(self.connection, ssl.SSLSocket):
            self.send_response(301)
            self.send_header("Location", f"https://{self.headers['Host']}/")
        elif self.path == self.bad:
            self.send_response(502)
        elif "Sec-WebSocket-Key" in self.headers:
            key = self.headers["Sec-WebSocket-Key"].encode()
            accept = base64.b64encode(hashlib.sha1(key + ACCEPT).digest())
            self.send_response(101)
            self.send_header("Sec-WebSocket-Accept", accept.decode())
        else:
            self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Plain(Pages):
    """Another site: it has no HTTPS to lead to."""

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()


@contextmanager
def serving(
    handler: type[Pages],
    files: tuple[Path, Path] | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
) -> Iterator[int]:
    """Serve; give the port."""
    with http.server.ThreadingHTTPServer((host, port), handler) as server:
        if files:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*files)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture
def site(checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:  # noqa: F811
    """Give a checkout whose engine answers for a site with this certificate."""
    (tmp_path / "docker").write_text(ENGINE)
    (tmp_path / "docker").chmod(0o755)
    monkeypatch.setattr(Pages, "asked", [])
    own = checkout.environment | {
        "PATH": f"{tmp_path}:{checkout.environment['PATH']}",
        "PEM": str(certificate(tmp_path / "own")[0]),
    }  # fmt: skip
    return Checkout(checkout.folder, checkout.calls, own)


def own(site: Checkout) -> tuple[Path, Path]:
    """Return the site's certificate and key."""
    pem = Path(site.environment["PEM"])
    return pem, pem.with_name("key.pem")


def ask(
    site: Checkout, http_port: int, https_port: int, *more: str, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Ask at the published ports."""
    return site.run(
        *VERIFY,
        *more,
        HTTP_PORT=str(http_port),
        HTTPS_PORT=str(https_port),
        **settings,
    )


def test_all_that_is_printed_is_asked_and_a_socket_too(site: Checkout):
    with serving(Pages) as http_port, serving(Pages, own(site)) as https_port:
        done = ask(site, http_port, https_port, "mend")
        assert (done.returncode, done.stderr) == (0, "")
        shown = site.run(*WELCOME, HTTP_PORT=str(http_port), HTTPS_PORT=str(https_port))
    printed = [word for word in shown.stdout.split() if f":{https_port}/" in word]
    assert len(printed) == 5
    assert {address.partition(f":{https_port}")[2] for address in printed} <= set(Pages.asked)
    assert "/ws/hello/" in Pages.asked
    assert site.asked("restart") == -1


def test_of_another_site_only_its_first_page_is_asked(site: Checkout, tmp_path: Path):
    (tmp_path / "tandem.yml").write_text("name: shop\nsettings: shop.settings\n")
    with serving(Pages) as http_port, serving(Pages, own(site)) as https_port:
        assert ask(site, http_port, https_port, SITE=str(tmp_path)).returncode == 0
    assert set(Pages.asked) == {"/", "/health/edge/"}


def test_a_closed_port_has_nginx_restarted_and_said_so(site: Checkout):
    closed = free_port()
    with serving(Pages) as http_port:
        done = ask(site, http_port, closed, "mend")
        assert site.asked("compose restart nginx") >= 0
        assert done.returncode == 1  # this engine does not mend it
        assert "restarting nginx, which closes its sockets" in done.stderr
        told = ask(site, http_port, closed)
        assert "'make up' mends it." in told.stderr
        assert site.asked("compose restart nginx") == -1


@pytest.mark.parametrize("kind", ["another certificate", "plain at https", "no redirect"])
def test_what_is_not_this_site_is_named_and_nothing_restarted(
    site: Checkout, tmp_path: Path, kind: str
):
    files = {"another certificate": certificate(tmp_path / "other"), "no redirect": own(site)}.get(
        kind
    )
    with (
        serving(Plain if kind == "no redirect" else Pages) as http_port,
        serving(Pages, files) as https_port,
    ):
        done = ask(site, http_port, https_port, "mend")
    name, port = ("HTTP", http_port) if kind == "no redirect" else ("HTTPS", https_port)
    assert done.returncode == 1
    assert done.stderr == (
        f"tandem: what answers at 127.0.0.1:{port} is not this site;"
        f" stop what listens there, or set {name}_PORT in .env to another.\n"
    )
    assert site.asked("restart") == -1


@pytest.mark.parametrize("path", ["/", "/admin/", "/ws/hello/"])
def test_an_address_that_is_not_served_is_named(
    site: Checkout, monkeypatch: pytest.MonkeyPatch, path: str
):
    monkeypatch.setattr(Pages, "bad", path)
    with serving(Pages) as http_port, serving(Pages, own(site)) as https_port:
        done = ask(site, http_port, https_port, "mend")
    assert done.returncode == 1
    assert f"{path} answers 502" in done.stderr
    assert site.asked("restart") == -1


def test_a_name_that_leads_nowhere_from_here_is_said(site: Checkout):
    with serving(Pages) as http_port, serving(Pages, own(site)) as https_port:
        done = ask(site, http_port, https_port, "mend", SERVER_NAMES="shop.invalid,localhost")
    assert done.returncode == 0
    assert "from this machine shop.invalid does not lead to the site" in done.stderr
    assert "'127.0.0.1 shop.invalid' in /etc/hosts" in done.stderr


def test_another_site_where_localhost_leads_is_named(site: Checkout):
    with (
        serving(Pages, host="127.0.0.2") as http_port,
        serving(Pages, own(site), host="127.0.0.2") as https_port,
        serving(Plain, port=https_port),
    ):
        done = ask(site, http_port, https_port, "mend", BIND_ADDRESS="127.0.0.2")
    assert done.returncode == 1
    assert f"what answers at localhost:{https_port} is not this site" in done.stderr


def test_whether_the_engine_forwards_is_seen_where_its_processes_are(tmp_path: Path):
    assert forwarded("8443", tmp_path)  # macOS: the engine has a machine of its own
    (tmp_path / "self").touch()
    assert not forwarded("8443", tmp_path)
    (tmp_path / "7").mkdir()
    (tmp_path / "7/comm").write_text("docker-proxy\n")
    (tmp_path / "7/cmdline").write_bytes(b"docker-proxy\0-host-port\08443\0")
    assert forwarded("8443", tmp_path)
    assert not forwarded("843", tmp_path)
