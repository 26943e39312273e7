"""What can be reached, and how it answers."""

from __future__ import annotations

import json
import re

from tandem.routes.model import UPSTREAMS, Route

PUBLIC = {"22", "80", "443"}


def test_nothing_but_ssh_and_the_web_listens_to_the_outside(host, groups, variables):
    listening = host.check_output("ss --listening --tcp --udp --numeric --no-header").splitlines()
    for line in listening:
        protocol, _, _, _, address = line.split()[:5]
        at, _, port = address.rpartition(":")
        if at.startswith("127.") or at == "[::1]" or "%lo" in at:
            continue
        if at == variables.get("tandem_private_address"):
            continue  # for the site's other servers; the firewall says for whom
        assert protocol == "tcp", line
        assert port in PUBLIC, line
        if port in {"80", "443"}:
            assert "edge" in groups, line


def test_the_firewall_drops_everything_else(host, groups):
    rules = json.loads(host.check_output("nft --json list table inet tandem"))["nftables"]
    policies = {r["chain"]["hook"]: r["chain"]["policy"] for r in rules if "chain" in r}
    assert policies["input"] == "drop"
    text = host.check_output("nft list table inet tandem")
    assert "22" in text
    assert ("443" in text) == ("edge" in groups)


def test_ssh_takes_keys_only(host):
    effective = host.check_output("sshd -T")
    assert "passwordauthentication no" in effective
    assert "permitemptypasswords no" in effective
    assert "permitrootlogin yes" not in effective


def test_every_upstream_is_ready(ask, groups, variables):
    if "edge" not in groups:
        return
    for upstream in UPSTREAMS:
        if int(variables.get(f"tandem_{upstream}_instances", 2)) == 0:
            continue
        status, body = ask(f"/health/{upstream}/ready/")
        assert status == 200, body
        assert json.loads(body)["upstream"].startswith(f"{upstream}@")


def handshake(ask, path: str, origin: str) -> str:
    """Return the answer to a WebSocket's handshake, as text with its status line."""
    return ask(
        path, "--include",
        "-HConnection: Upgrade", "-HUpgrade: websocket", "-HSec-WebSocket-Version: 13",
        "-HSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", f"-HOrigin: {origin}",
    )[1]  # fmt: skip


def sockets(routes: list[Route]) -> list[Route]:
    """Return the routes of WebSockets alone, of those that the site itself answers."""
    return [r for r in routes if r.mode == "websocket" and r.upstream == "asgi"]


def test_pages_and_sockets_come_from_where_the_routes_say(ask, groups, name, routes, own_site):
    if "edge" not in groups:
        return
    first = next(route for route in routes if route.path == "/")
    status, page = ask("/", "--include")
    # What another site's front page answers is for that site to say.
    assert status == 200 if own_site else status < 500
    sides = f"({first.upstream}|wsgi)" if first.falls_back else first.upstream
    assert re.search(rf"(?i)x-upstream: (\S+/)?{sides}@", page)
    for route in sockets(routes):
        # Without a session or a socket there: the site says so, and not nginx.
        answer = handshake(ask, route.path, f"https://{name}")
        assert re.search(rf"(?i)x-upstream: (\S+/)?{route.upstream}@", answer)


def test_the_chat_refuses_who_is_not_logged_in(ask, groups, name, own_site):
    if "edge" not in groups or not own_site:
        return
    answer = handshake(ask, "/ws/chat/lobby/", f"https://{name}")
    assert " 403" in answer.splitlines()[0]
    assert re.search(r"(?i)x-upstream: (\S+/)?asgi@", answer)


def test_http_redirects_to_https(host, groups, name):
    if "edge" not in groups:
        return
    answer = host.check_output(
        "curl --silent --head --max-time 10 -H %s http://127.0.0.1/x?y=1", f"Host: {name}"
    )
    assert "301" in answer.splitlines()[0]
    assert f"https://{name}/x?y=1" in answer


def test_a_foreign_origin_is_refused_by_the_edge(ask, groups, routes):
    if "edge" not in groups:
        return
    for route in sockets(routes):
        answer = handshake(ask, route.path, "https://evil.example")
        assert " 403" in answer.splitlines()[0]
        assert "x-upstream: edge" in answer.lower()


def test_old_protocols_are_refused(host, groups, name):
    if "edge" not in groups:
        return
    for version, works in {"tls1_1": False, "tls1_2": True, "tls1_3": True}.items():
        said = host.run(
            "echo | openssl s_client -connect 127.0.0.1:443 -servername %s -%s", name, version
        )
        assert ("BEGIN CERTIFICATE" in said.stdout) == works, version


def test_another_name_is_not_served(host, groups):
    if "edge" not in groups:
        return
    status = host.check_output(
        "curl --silent --insecure --max-time 10 --output /dev/null --write-out '%{http_code}'"
        " https://127.0.0.1/"
    )
    assert status == "421"
