"""What the roles write on a server, rendered by Ansible for one server and for several."""

from __future__ import annotations

import re

import pytest

from tests.unit.provisioning.rendering import Server, one, several

SSHD = {"stdout": "port 22\nport 2222\nlistenaddress 0.0.0.0:22\n"}


def accepted(server: Server) -> list[str]:
    """Return every rule of the input chain that lets something in, or says what happens."""
    text = server.file("firewall", "firewall.nft.j2", firewall_sshd=SSHD)
    chain = text.partition("chain input {")[2].partition("}\n}")[0]
    lines = [re.sub(r"\s*#.*", "", line).strip() for line in chain.splitlines()]
    return [line for line in lines if line and line != "}"]


COMMON = [
    "type filter hook input priority filter; policy drop;",
    "ct state established,related accept",
    "ct state invalid drop",
    "iif lo accept",
]
ICMP = "meta l4proto { 1, 58 } accept"
DHCP = [
    "udp sport 67 udp dport 68 accept",
    "ip6 daddr fe80::/10 udp sport 547 udp dport 546 accept",
]


def test_the_firewall_of_one_server_admits_ssh_and_the_web_and_nothing_else():
    assert accepted(one()) == [*COMMON, ICMP, *DHCP, "tcp dport { 22, 2222, 443, 80 } accept"]


def test_more_ports_are_admitted_where_the_inventory_says_so():
    rules = accepted(one(firewall_open_tcp_ports=[9100]))
    assert rules[-1] == "tcp dport { 22, 2222, 443, 80, 9100 } accept"


def test_a_server_of_several_admits_what_the_others_need_and_nothing_else():
    away = "tcp dport 1 reject with tcp reset"
    ssh = "tcp dport { 22, 2222 } accept"
    assert accepted(several("edge1")) == [
        *COMMON, away, ICMP, *DHCP, "tcp dport { 22, 2222, 443, 80 } accept",
    ]  # fmt: skip
    assert accepted(several("app1")) == [
        *COMMON, away, ICMP, *DHCP, ssh,
        "ip saddr 10.0.0.10 tcp dport { 8101-8109, 8201-8209, 8301-8309 } accept",
    ]  # fmt: skip
    assert accepted(several("data1")) == [
        *COMMON, away, ICMP, *DHCP, ssh,
        "ip saddr 10.0.0.21 tcp dport 6379 accept",
        "ip saddr 10.0.0.21 tcp dport 5432 accept",
        "ip saddr 10.0.0.22 tcp dport 6379 accept",
        "ip saddr 10.0.0.22 tcp dport 5432 accept",
    ]  # fmt: skip


def test_the_firewall_leaves_rules_of_others():
    text = one().file("firewall", "firewall.nft.j2", firewall_sshd=SSHD)
    assert "flush ruleset" not in text
    assert re.findall(r"(?m)^(?:delete )?table .*$", text) == [
        "table inet tandem", "delete table inet tandem", "table inet tandem {",
    ]  # fmt: skip


def test_ssh_takes_keys_only():
    lines = one().file("ssh", "tandem.conf.j2").splitlines()
    for line in (
        "PasswordAuthentication no", "KbdInteractiveAuthentication no",
        "PermitRootLogin prohibit-password", "PermitEmptyPasswords no", "X11Forwarding no",
        "MaxAuthTries 4", "LoginGraceTime 30",
    ):  # fmt: skip
        assert line in lines
    assert "PasswordAuthentication" not in one(ssh_keys_only=False).file("ssh", "tandem.conf.j2")


# --- the site's settings ---


def environment(server: Server) -> dict[str, str]:
    """Return /etc/tandem/site.env."""
    text = server.file("site", "site.env.j2")
    lines = [line.split("=", 1) for line in text.splitlines() if line and line[0] != "#"]
    return {name: value.removeprefix('"').removesuffix('"') for name, value in lines}


def test_every_setting_reaches_the_processes():
    found = environment(
        one(
            tandem_server_names=["a.org", "b.org"], tandem_wsgi_workers=3, tandem_wsgi_threads=5,
            tandem_asgi_threads=7, tandem_asgi_database_pool=11, tandem_notify_threads=13,
            tandem_upload_limit_mib=17, tandem_ws_message_limit_bytes=1900,
            tandem_sockets_per_user=23, tandem_socket_drain_seconds=29,
            tandem_identity_headers="off", tandem_environment={"MINE": "31"},
        )
    )  # fmt: skip
    assert found == {
        "SERVER_NAMES": "a.org,b.org", "ALLOWED_ORIGINS": "", "HTTPS_PORT": "443",
        "WSGI_WORKERS": "3", "WSGI_THREADS": "5", "ASGI_THREADS": "7", "ASGI_DATABASE_POOL": "11",
        "NOTIFY_THREADS": "13", "UPLOAD_LIMIT_MIB": "17", "UVICORN_WS_MAX_SIZE": "1900",
        "SOCKETS_PER_USER": "23", "SOCKET_DRAIN_SECONDS": "29", "TANDEM_IDENTITY_HEADERS": "off",
        "MEDIA_ROOT": "/srv/tandem/media", "UPLOAD_TEMP_DIR": "/srv/tandem/media", "MINE": "31",
    }  # fmt: skip


def test_by_default_a_user_may_have_as_many_sockets_as_an_address():
    assert environment(one(tandem_sockets_per_address=41))["SOCKETS_PER_USER"] == "41"


def test_of_several_servers_the_site_knows_where_its_stores_are():
    found = environment(several("app1"))
    assert found["REDIS_URL"] == "redis://10.0.0.30:6379/0"
    assert found["DATABASE_HOST"] == "10.0.0.30"


def test_no_password_is_in_the_environment():
    for server in (one(), several("app1")):
        assert not re.search(
            "(?i)password|secret", server.file("site", "site.env.j2").partition("\n")[2]
        )


# --- nginx of a server ---


def test_limits_and_names_reach_nginx():
    files = one(
        tandem_server_names=["a.org"], tandem_sockets_per_address=43, tandem_upload_limit_mib=2,
        tandem_hsts="max-age=300", tandem_identity_headers="off",
        tandem_allowed_origins=["https://c.org"],
    )["nginx_generated"]  # fmt: skip
    assert "limit_conn client_sockets 43;" in files["socket-limits.conf"]
    assert "server_name a.org;" in files["server-name.conf"]
    assert f"client_max_body_size {2 * 1024 * 1024 + 64 * 1024};" in files["server.conf"]
    secure = re.search(r"map \$secure \$hsts \{([^}]*)\}", files["server.conf"])
    assert secure is not None
    assert secure[1].split() == ["1", '"max-age=300";', "default", '"";']
    assert 'map $host $identity_headers { default "off"; }' in files["server.conf"]
    assert re.findall(r'"~\^(.+)\$" 1;', files["server.conf"]) == [r"https://c\.org"]


def test_of_several_servers_nginx_knows_every_instance_and_its_name():
    files = several("edge1")["nginx_generated"]
    for kind, port in {"wsgi": 810, "asgi": 820, "notify": 830}.items():
        for n in (1, 2):
            for server, address in {"app1": "10.0.0.21", "app2": "10.0.0.22"}.items():
                assert f"server {address}:{port}{n} max_fails=0;" in files["upstreams.conf"]
                assert f"{server}/{kind}@{n};" in files["upstream-names.conf"]


# --- the stores ---


def test_redis_of_one_server_has_no_port_and_fits_the_machine():
    found = one().file("redis", "host.conf.j2").splitlines()
    assert found[1:] == ["maxmemory 409mb", "maxclients 1000"]


def test_redis_of_several_servers_asks_for_a_password_on_the_private_address():
    lines = several("data1").file("redis", "host.conf.j2").splitlines()
    assert "bind 10.0.0.30" in lines
    assert "port 6379" in lines
    assert "include /etc/tandem/redis/password.conf" in lines


def test_postgres_of_several_servers_asks_for_scram_from_the_sites_own_servers():
    rules = [line.split() for line in several("data1").file("postgres", "hba.j2").splitlines()]
    remote = [rule for rule in rules if rule[:1] == ["host"]]
    assert remote == [
        ["host", "tandem", "tandem", f"10.0.0.{n}/32", "scram-sha-256"] for n in (21, 22)
    ]
    assert "listen_addresses = '10.0.0.30'" in several("data1").file("postgres", "host.conf.j2")
    alone = one().file("postgres", "hba.j2")
    assert "host " not in re.sub("#.*", "", alone)
    assert "listen_addresses" not in one().file("postgres", "host.conf.j2")


def test_postgres_has_as_many_connections_as_were_added_up():
    assert "max_connections = 47" in one(tandem_postgres_max_connections=47).file(
        "postgres", "host.conf.j2"
    )


# --- the units ---


@pytest.mark.parametrize("kind", ["wsgi", "asgi", "notify"])
def test_an_instance_gets_its_secrets_its_memory_and_its_time_to_stop(kind: str):
    server = one(tandem_socket_drain_seconds=20)
    lines = server.file("instances", "host.conf.j2", instances_kind=kind).splitlines()
    assert "LoadCredential=secret_key:/etc/tandem/credentials/secret_key" in lines
    assert "TimeoutStopSec=50" in lines
    share = {"wsgi": 14.0, "asgi": 14.0, "notify": 7.0}[kind]  # of 70 %, by weight
    assert f"MemoryMax={share}%" in lines
    assert f"MemoryHigh={round(share * 0.9, 1)}%" in lines
    assert not any(line.startswith("Environment=") for line in lines)


def test_memory_of_all_instances_together_is_bounded():
    server = one(instances_memory_percent=60)
    shares = [
        2 * float(re.findall(r"MemoryMax=([\d.]+)%", text)[0])
        for kind in ("wsgi", "asgi", "notify")
        for text in [server.file("instances", "host.conf.j2", instances_kind=kind)]
    ]
    assert sum(shares) == pytest.approx(60, abs=0.5)


def test_an_instance_of_several_servers_listens_on_the_private_address_alone():
    server = several("app1")
    socket = server.file("instances", "listen.conf.j2", instances_kind="asgi").splitlines()
    assert [line for line in socket if line.startswith("ListenStream")] == [
        "ListenStream=", "ListenStream=10.0.0.21:820%i",
    ]  # fmt: skip
    unit = server.file("instances", "host.conf.j2", instances_kind="asgi")
    assert "Environment=TANDEM_LISTEN=10.0.0.21:820%i" in unit
    assert "Environment=TANDEM_INSTANCES_HERE=2\n" in unit
    assert "Environment=TANDEM_INSTANCES=4\n" in unit


def test_every_unit_has_its_sandbox():
    units = one()["instances_units"]
    for kind in ("wsgi", "asgi", "notify"):
        for name in (".service", ".socket", ".service.d/sandbox.conf", ".service.d/host.conf"):
            assert f"{kind}@{name}" in units
        assert f"{kind}@trial.socket.d/trial.conf" in units


# --- secrets and sums ---


def test_each_server_has_the_secrets_that_it_needs_and_no_others():
    assert one()["tandem_credentials"] == ["secret_key"]
    apps = ["database_password", "redis_password", "secret_key"]
    assert several("app1")["tandem_credentials"] == apps
    assert several("data1")["tandem_credentials"] == apps[:2]
    assert several("edge1")["tandem_credentials"] == []
    given = one(tandem_secrets={"secret_key": "x", "force_key": "y", "mail_password": "z"})
    assert given["tandem_credentials"] == ["mail_password", "secret_key"]
    assert given["tandem_credentials_made"] == []


def test_the_connection_budget_counts_every_instance_of_every_server():
    assert one()["tandem_connections"] == 2 * 2 * 4 + 2 * 10 + 2 * 2
    assert several("app1")["tandem_connections"] == 2 * (2 * 2 * 4 + 2 * 10 + 2 * 2)
    more = one(tandem_processes=["worker"])
    assert more["tandem_connections"] == one()["tandem_connections"] + 4


def test_the_connection_budget_counts_those_to_redis_too():
    assert one()["tandem_redis_connections"] == 4 * (2 * 2 + 2 + 2)
    assert several("app1")["tandem_redis_connections"] == 2 * 4 * (2 * 2 + 2 + 2)
    assert one(tandem_processes=["a", "b"])["tandem_redis_connections"] == 4 * 8 + 4 * 2


def test_what_would_not_fit_is_refused(preflight):
    fits = {"tandem_postgres_max_connections": 60, "tandem_redis_max_clients": 32}
    assert preflight("The connections fit", one(**fits))  # 40 + 20 of 60; 32 of 32
    assert not preflight("The connections fit", one(**{**fits, "tandem_redis_max_clients": 31}))
    assert not preflight(
        "The connections fit", one(**{**fits, "tandem_postgres_max_connections": 59})
    )


# --- logs ---


def test_logs_are_rotated_and_stay_nginxs():
    text = one(nginx_log_days=9).file("nginx", "logrotate.j2")
    for line in ("daily", "rotate 9", "compress", "create 0640 www-data adm"):
        assert f"    {line}\n" in text
    assert "--signal=USR1 nginx.service" in text
    assert "/var/log/nginx/tandem.json /var/log/nginx/tandem-shadow.json {" in text


def test_the_kernel_has_room_for_connections_and_a_rehearsal_leaves_the_machine_alone():
    text = one().file("base", "sysctl.conf.j2")
    for part in ("network", "machine"):
        for name, value in one()[f"base_sysctl_{part}"].items():
            assert f"{name} = {value}" in text.splitlines()
    for line in (
        "net.ipv4.conf.all.accept_source_route = 0", "net.ipv4.conf.all.rp_filter = 1",
        "net.core.somaxconn = 4096", "net.ipv4.tcp_syncookies = 1", "vm.overcommit_memory = 1",
        "net.ipv4.conf.all.accept_redirects = 0", "kernel.kptr_restrict = 2",
    ):  # fmt: skip
        assert line in text.splitlines()
    assert "vm." not in one(tandem_rehearsal=True).file("base", "sysctl.conf.j2")
