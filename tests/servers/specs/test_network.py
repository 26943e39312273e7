"""What can be reached, and how it answers."""

from __future__ import annotations

import json
import re

import pytest

from tandem.facts import KINDS
from tandem.ops.routes.model import Route

WEB = {"80", "443"}
# Where a server asks for its own address.
DHCP = {("udp", "68"), ("udp", "546")}
# What the site's own servers reach of each other.  docs/servers.md
INSTANCE_PORTS = {"wsgi": "8101-8109", "asgi": "8201-8209", "notify": "8301-8309"}
DATA = {"redis": 6379, "postgres": 5432}


def test_nothing_but_ssh_and_the_web_listens_to_the_outside(
    host, groups, variables, setting, sshd_ports
):
    expected = sshd_ports | (WEB if "edge" in groups else set())
    expected |= {str(port) for port in setting("firewall_open_tcp_ports", "firewall")}
    listening = host.check_output("ss --listening --tcp --udp --numeric --no-header").splitlines()
    for line in listening:
        protocol, _, _, _, address = line.split()[:5]
        at, _, port = address.rpartition(":")
        if at.startswith("127.") or at == "[::1]" or "%lo" in at:
            continue
        if at == variables.get("tandem_private_address"):
            continue  # for the site's other servers; the firewall says for whom
        if (protocol, port) not in DHCP:
            assert protocol == "tcp", line
            assert port in expected, line


def shown(value: object) -> str:
    """Return a value of nft's JSON as text, sets sorted: ``22,443``, ``8101-8109``."""
    if isinstance(value, dict) and "range" in value:
        return "-".join(map(shown, value["range"]))
    if isinstance(value, dict) and "prefix" in value:
        return "{addr}/{len}".format(**value["prefix"])
    if isinstance(value, dict) and "set" in value:
        value = value["set"]
    if isinstance(value, list):
        return ",".join(sorted(map(shown, value)))
    return {"icmp": "1", "ipv6-icmp": "58"}.get(str(value), str(value))


def admitted(rules: list[dict]) -> set[str]:
    """Return what the chain ``input`` accepts, a rule each: ``tcp dport 22,80,443``."""
    found = set()
    for rule in (r["rule"] for r in rules if "rule" in r):
        if rule["chain"] == "input" and {"accept": None} in rule["expr"]:
            matches = []
            for match in (e["match"] for e in rule["expr"] if "match" in e):
                ((kind, left),) = match["left"].items()
                name = f"{left['protocol']} {left['field']}" if kind == "payload" else left["key"]
                matches.append(f"{name} {match['op']} {shown(match['right'])}")
            found.add(" and ".join(matches).replace(" == ", " ").replace(" in ", " "))
    return found


def test_the_firewall_admits_what_is_needed_and_drops_everything_else(
    host, groups, setting, sshd_ports, peers, kinds, spread
):
    rules = json.loads(host.check_output("nft --json list table inet tandem"))["nftables"]
    policies = {
        r["chain"]["hook"]: r["chain"]["policy"] for r in rules if "hook" in r.get("chain", {})
    }
    assert policies["input"] == "drop"
    ports = sshd_ports | (WEB if "edge" in groups else set())
    ports |= {str(port) for port in setting("firewall_open_tcp_ports", "firewall")}
    wanted = {
        "state established,related",
        "iif lo",
        "l4proto 1,58",
        "udp sport 67 and udp dport 68",
        "ip6 daddr fe80::/10 and udp sport 547 and udp dport 546",
        f"tcp dport {','.join(sorted(ports))}",
    }
    for peer in peers if spread else []:
        theirs, begin = set(peer["group_names"]), f"ip saddr {peer['tandem_private_address']} and"
        if "edge" in theirs and kinds:
            instances = ",".join(sorted(INSTANCE_PORTS[kind] for kind in kinds))
            wanted.add(f"{begin} tcp dport {instances}")
        if theirs & {"wsgi", "asgi", "notify"}:
            wanted |= {f"{begin} tcp dport {DATA[part]}" for part in DATA if part in groups}
    assert admitted(rules) == wanted


def test_ssh_takes_keys_only(host, setting):
    effective = host.check_output("sshd -T")
    assert "permitemptypasswords no" in effective
    if not setting("ssh_keys_only", "ssh"):
        pytest.skip("ssh_keys_only is off")
    assert "passwordauthentication no" in effective
    assert "permitrootlogin yes" not in effective


@pytest.mark.usefixtures("edge")
def test_every_upstream_is_ready(ask, groups, variables):
    for upstream in KINDS:
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


@pytest.mark.usefixtures("edge", "identified")
def test_pages_and_sockets_come_from_where_the_routes_say(ask, groups, name, routes, own_site):
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


@pytest.mark.usefixtures("edge", "identified")
def test_the_chat_refuses_who_is_not_logged_in(ask, groups, name, own_site):
    if not own_site:
        pytest.skip("the site is another than app/")
    answer = handshake(ask, "/ws/chat/lobby/", f"https://{name}")
    assert " 403" in answer.splitlines()[0]
    assert re.search(r"(?i)x-upstream: (\S+/)?asgi@", answer)


@pytest.mark.usefixtures("edge")
def test_http_redirects_to_https(host, groups, name):
    answer = host.check_output(
        "curl --silent --head --max-time 10 -H %s http://127.0.0.1/x?y=1", f"Host: {name}"
    )
    assert "301" in answer.splitlines()[0]
    assert f"https://{name}/x?y=1" in answer


@pytest.mark.usefixtures("edge", "identified")
def test_a_foreign_origin_is_refused_by_the_edge(ask, groups, routes):
    for route in sockets(routes):
        answer = handshake(ask, route.path, "https://evil.example")
        assert " 403" in answer.splitlines()[0]
        assert "x-upstream: edge" in answer.lower()


@pytest.mark.usefixtures("edge")
def test_old_protocols_are_refused(host, groups, name):
    for version, works in {"tls1_1": False, "tls1_2": True, "tls1_3": True}.items():
        said = host.run(
            "echo | openssl s_client -connect 127.0.0.1:443 -servername %s -%s", name, version
        )
        assert ("BEGIN CERTIFICATE" in said.stdout) == works, version


@pytest.mark.usefixtures("edge")
def test_another_name_is_not_served(host, groups):
    status = host.check_output(
        "curl --silent --insecure --max-time 10 --output /dev/null --write-out '%{http_code}'"
        " https://127.0.0.1/"
    )
    assert status == "421"


@pytest.mark.usefixtures("edge")
def test_an_address_may_hold_as_many_sockets_as_the_inventory_says(host, setting, own_site):
    limit = setting("tandem_sockets_per_address")
    with host.sudo():
        written = host.check_output("cat /etc/tandem/nginx/socket-limits.conf")
        effective = host.check_output("nginx -T -q 2>/dev/null")
    assert re.findall(r"(?m)^limit_conn client_sockets (\d+);", written) == [str(limit)]
    # In each kind of location that holds connections open; another site may have none.
    included = effective.count("include /etc/tandem/nginx/socket-limits.conf;")
    assert included >= 3 or not own_site
