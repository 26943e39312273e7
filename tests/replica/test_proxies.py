"""Behind somebody else's proxy (docs/proxies.md): HAProxy and another nginx, for real."""

from __future__ import annotations

import json
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect

from tests.machine import HANG_SECONDS
from tests.replica.another_nginx import Edge, edge
from tests.stack import ROOT, Stack, wait_for

# Both end TLS, say so, and append the client's address to whatever the client said.
HAPROXY = """
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout tunnel 1h
frontend site
    bind :80
    bind :443 ssl crt /etc/proxy/site.pem alpn h2,http/1.1
    option forwardfor
    http-request set-header X-Forwarded-Proto https if { ssl_fc }
    http-request set-header X-Forwarded-Proto http if !{ ssl_fc }
    default_backend tandem
backend tandem
    option httpchk GET /health/ready/
    server edge1 edge:80 check inter 1s fall 1 rise 1
"""
NGINX = """
pid /tmp/nginx.pid;
error_log stderr warn;
events {}
http {
    access_log off;
    map $http_upgrade $upgraded { "" ""; default upgrade; }
    server {
        listen 80;
        listen 443 ssl;
        ssl_certificate /etc/proxy/site.pem;
        ssl_certificate_key /etc/proxy/site.pem;
        location / {
            proxy_pass http://edge:80;
            proxy_http_version 1.1;
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $upgraded;
        }
    }
}
"""
# Passes TLS through and tells the address by the PROXY protocol.
PASSING = """
defaults
    mode tcp
    timeout connect 5s
    timeout client 60s
    timeout server 60s
listen tls
    bind :443
    server edge1 passed:443 send-proxy-v2
listen plain
    bind :80
    server edge1 passed:80 send-proxy
"""
COMMANDS = {
    "haproxy": "until getent hosts edge; do sleep .1; done; exec haproxy -f /etc/proxy/conf",
    "nginx": "until getent hosts edge; do sleep .1; done;"
    " exec nginx -c /etc/proxy/conf -g 'daemon off;'",
    "passing": "until getent hosts passed; do sleep .1; done; exec haproxy -f /etc/proxy/conf",
}
PROXIES = {"haproxy": HAPROXY, "nginx": NGINX, "passing": PASSING}


def haproxy_image(stack: Stack) -> str:
    """Build Debian's HAProxy as an image; return its name."""
    name = f"{stack.project}-haproxy"
    dockerfile = (
        "FROM debian:trixie-slim\nRUN apt-get update -q"
        " && apt-get install -qy --no-install-recommends haproxy\n"
    )
    subprocess.run(
        ["docker", "build", "--quiet", "--tag", name, "-"],
        input=dockerfile, text=True, check=True, capture_output=True,
    )  # fmt: skip
    return name


@pytest.fixture(scope="module")
def proxied(stack: Stack) -> Iterator[Edge]:
    """Give the three proxies, and behind them two edges that trust each of them and nobody else."""
    pem = stack.compose(
        "exec",
        "-T",
        "nginx",
        "sh",
        "-c",
        "cat /etc/tandem/tls/fullchain.pem /etc/tandem/tls/privkey.pem",
    )
    images = {"nginx": f"{stack.project}-nginx"}
    with edge(stack, "proxied") as made:
        trusted = []
        for name, conf in PROXIES.items():
            folder = Path(tempfile.mkdtemp(dir=ROOT / ".cache"))
            folder.chmod(0o755)
            (folder / "conf").write_text(conf)
            (folder / "site.pem").write_text(pem)
            image = images.get(name) or images.setdefault("haproxy", haproxy_image(stack))
            address = made.run(
                name, "--user", "root", "--volume", f"{folder}:/etc/proxy:ro",
                "--publish", "127.0.0.1::80", "--publish", "127.0.0.1::443",
                image, "sh", "-c", COMMANDS[name],
            )  # fmt: skip
            trusted.append(address)
        networks = ",".join(trusted)
        made.nginx("edge", TRUSTED_PROXIES=networks)
        made.nginx("passed", TRUSTED_PROXIES=networks, PROXY_PROTOCOL="on")
        for name in PROXIES:
            wait_for(lambda name=name: ask(made, name, "/health/ready/").status_code == 200)
        yield made


def ask(
    made: Edge, name: str, path: str, scheme: str = "https", method: str = "GET", **headers: str
) -> httpx.Response:
    """Ask a proxy for the site."""
    port = made.published(name, {"https": 443, "http": 80}[scheme])
    with httpx.Client(verify=False, timeout=HANG_SECONDS) as client:
        return client.request(
            method,
            f"{scheme}://127.0.0.1:{port}{path}",
            headers={"Host": "localhost", **{k.replace("_", "-"): v for k, v in headers.items()}},
        )


def gateway(made: Edge) -> str:
    """Return the address that clients on this machine have in the network."""
    found = json.loads(made.docker("network", "inspect", made.network))[0]
    return found["IPAM"]["Config"][0]["Gateway"]


def client_of(made: Edge, name: str, request_id: str) -> str:
    """Return the address that an edge has logged for a request."""

    def logged() -> str:
        lines = [line for line in made.logs(name).splitlines() if request_id in line]
        return json.loads(lines[0])["client"] if lines else ""

    return wait_for(logged)


@pytest.mark.parametrize("name", PROXIES)
def test_the_site_is_served_through_it_and_its_redirects_lead_to_https(
    stack: Stack, proxied: Edge, name: str
):
    assert ask(proxied, name, "/accounts/login/").status_code == 200
    answer = ask(proxied, name, "/chat/lobby/")
    assert answer.status_code == 302
    plain = ask(proxied, name, "/gallery/?a=1", "http")
    assert plain.status_code == 301
    assert plain.headers["Location"] == f"{stack.origin}/gallery/?a=1"
    assert ask(proxied, name, "/upload/", "http", "POST").status_code == 308
    assert ask(proxied, name, "/static/admin").headers["Location"].endswith("/static/admin/")


@pytest.mark.parametrize("name", PROXIES)
def test_a_login_passes_it(stack: Stack, proxied: Edge, name: str):
    port = proxied.published(name, 443)
    with httpx.Client(base_url=f"https://localhost:{port}", verify=False) as client:
        client.get("/accounts/login/")
        answer = client.post(
            "/accounts/login/",
            data={"username": "demo", "password": "demo",
                  "csrfmiddlewaretoken": client.cookies["csrftoken"]},
            headers={"Origin": stack.origin},
        )  # fmt: skip
        assert answer.status_code == 302
        assert "Secure" in answer.headers["Set-Cookie"]


@pytest.mark.parametrize("name", PROXIES)
async def test_a_socket_passes_it(stack: Stack, proxied: Edge, name: str):
    port = proxied.published(name, 443)
    async with connect(
        f"wss://localhost:{port}/ws/echo/", ssl=stack.tls, origin=stack.origin,
        open_timeout=HANG_SECONDS, additional_headers={"Cookie": stack.cookie("demo")},
    ) as socket:  # fmt: skip
        await socket.send("through")
        assert "through" in await socket.recv()


@pytest.mark.parametrize("name", PROXIES)
def test_the_client_is_who_the_proxy_says_not_who_the_client_says(proxied: Edge, name: str):
    mark = f"0123456789abcdef-{name}"
    ask(proxied, name, "/health/wsgi/live/", X_Request_ID=mark, X_Forwarded_For="203.0.113.9")
    behind = "passed" if name == "passing" else "edge"
    assert client_of(proxied, behind, mark) == gateway(proxied)


def test_nobody_else_is_believed(proxied: Edge):
    forged = {"X_Forwarded_Proto": "https", "X_Forwarded_For": "203.0.113.9"}
    answer = ask(proxied, "edge", "/", "http", **forged)
    assert answer.status_code == 301
    mark = "0123456789abcdef-direct"
    ask(proxied, "edge", "/health/wsgi/live/", X_Request_ID=mark, **forged)
    assert client_of(proxied, "edge", mark) == gateway(proxied)


@pytest.fixture(scope="module")
def chosen(stack: Stack) -> Iterator[Edge]:
    """Give an edge to which this machine is the proxy: addresses can be chosen."""
    with edge(stack, "chosen") as made:
        here = gateway(made)
        made.nginx("edge", TRUSTED_PROXIES=here)
        made.nginx("passed", TRUSTED_PROXIES=here, PROXY_PROTOCOL="on")
        yield made


def logins(made: Edge, *addresses: str) -> list[int]:
    """Try to log in, once from each address; return the answers."""
    port = made.published("edge", 443)
    with httpx.Client(base_url=f"https://localhost:{port}", verify=False) as client:
        return [
            client.post("/cms/login", headers={"X-Forwarded-For": address}).status_code
            for address in addresses
        ]


def test_a_network_of_ipv6_is_one_client_and_an_address_of_ipv4_is(chosen: Edge):
    assert 429 in logins(chosen, *(f"2001:db8:0:1::{n:x}" for n in range(1, 120)))
    assert 429 not in logins(chosen, *(f"2001:db8:0:{n:x}::1" for n in range(2, 120)))
    assert 429 not in logins(chosen, *(f"198.51.100.{n}" for n in range(1, 120)))
    assert 429 not in logins(chosen, *(f"::ffff:203.0.113.{n}" for n in range(1, 120)))
    assert 429 in logins(chosen, *["::ffff:203.0.113.200", "203.0.113.200"] * 60)


@pytest.mark.parametrize("address", ["2001:db8::7", "203.0.113.7"])
def test_the_proxy_protocol_tells_addresses_of_both_kinds(chosen: Edge, address: str):
    mark = f"0123456789abcdef-{address.replace(':', '-').replace('.', '-')}"
    family = "TCP6 {} ::1" if ":" in address else "TCP4 {} 127.0.0.1"
    request = (
        f"PROXY {family.format(address)} 4000 80\r\n"
        f"GET /health/wsgi/live/ HTTP/1.0\r\nX-Request-ID: {mark}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", chosen.published("passed", 80))) as plain:
        plain.sendall(request.encode())
        answer = plain.makefile("rb").read().decode()
    assert answer.startswith("HTTP/1.1 200")
    assert client_of(chosen, "passed", mark) == address


# --- without any proxy: what clients claim, and what machines ask ---

CLAIMS = {
    "X-Forwarded-Protocol": ("https", "http", "ssl"),
    "X-Forwarded-Ssl": ("on", "off"),
    "X-Forwarded-Scheme": ("http",),
    "X-Forwarded-Proto": ("http", "https"),
    "X-Url-Scheme": ("http",),
    "Front-End-Https": ("off", "on"),
    "X-Forwarded-Host": ("evil.example",),
    "X-Forwarded-Port": ("1",),
    "X-Forwarded-Prefix": ("/evil",),
    "X-Script-Name": ("/evil",),
    "Forwarded": ("for=203.0.113.9;proto=http;host=evil.example",),
    "Script-Name": ("/evil",),
}


@pytest.mark.parametrize("upstream", ["wsgi", "asgi"])
@pytest.mark.parametrize(
    ("header", "value"), [(header, value) for header, values in CLAIMS.items() for value in values]
)
def test_a_foreign_header_changes_nothing(stack: Stack, upstream: str, header: str, value: str):
    with stack.client() as client:
        answer = client.get(f"/health/{upstream}/live/", headers={header: value})
    assert answer.status_code == 200


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", ["Host: 10.0.0.5", "Host:", "Host: balancer.internal:8080"])
@pytest.mark.parametrize(
    "path", ["/health/edge/", "/health/live/", "/health/ready/", "/health/asgi/ready/"]
)
def test_a_machine_that_asks_by_any_name_or_none_is_told_the_health(
    stack: Stack, scheme: str, host: str, path: str
):
    address = f"{scheme}://127.0.0.1:{stack.https_port if scheme == 'https' else stack.http_port}"
    done = stack.run(
        "curl",
        "-sk",
        "--http1.0",
        "-H",
        host,
        "-o",
        "/dev/null",
        "-w",
        "%{http_code}",
        address + path,
    )
    assert done.stdout == "200"


def test_a_foreign_name_gets_nothing_else_on_either_port(stack: Stack):
    with stack.client() as client:
        for base in (stack.origin, f"http://localhost:{stack.http_port}"):
            answer = client.get(f"{base}/", headers={"Host": "evil.example"})
            assert answer.status_code == 421
            assert "<h1>Wrong address</h1>" in answer.text


@pytest.mark.parametrize(("method", "status"), [("GET", 301), ("HEAD", 301), ("POST", 308)])
def test_http_redirects_and_a_post_stays_one(stack: Stack, method: str, status: int):
    with stack.client() as client:
        answer = client.request(method, f"http://localhost:{stack.http_port}/upload/?a=1")
    assert answer.status_code == status
    assert answer.headers["Location"] == f"{stack.origin}/upload/?a=1"
