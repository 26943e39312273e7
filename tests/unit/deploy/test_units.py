"""The units of a server: who runs what, in which sandbox, and how it ends."""

from __future__ import annotations

import re

import pytest

from tandem.instance import listen
from tests.checkout import ROOT
from tests.unit.deploy.systemd import Unit

SERVERS = ("wsgi", "asgi", "notify")
KINDS = (*SERVERS, "process")
HERE = "/srv/tandem/instances/%p@%i/deploy"
LOGS = "+/usr/bin/systemd-tmpfiles --create /etc/tmpfiles.d/tandem-nginx.conf"
TRIED = "/usr/sbin/nginx -t -q -g 'pid /run/nginx/nginx.pid;'"
TOOL = "/usr/local/lib/tandem/instance.py"
# What nobody needs; systemd.exec(5).
SANDBOX = {
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "ProtectHostname": "yes",
    "ProtectClock": "yes",
    "ProtectKernelTunables": "yes",
    "ProtectKernelModules": "yes",
    "ProtectKernelLogs": "yes",
    "ProtectControlGroups": "yes",
    "ProtectProc": "invisible",
    "RestrictNamespaces": "yes",
    "RestrictRealtime": "yes",
    "RestrictSUIDSGID": "yes",
    "LockPersonality": "yes",
    "MemoryDenyWriteExecute": "yes",
    "SystemCallArchitectures": "native",
    "SystemCallFilter": "@system-service\n~@privileged @resources",
}
SITE_ONLY = {"PrivateUsers": "yes", "RemoveIPC": "yes", "ProcSubset": "pid", "UMask": "0027"}
SANDBOXED = {
    **{kind: Unit(f"{kind}@.service", "sandbox.conf") for kind in KINDS},
    "nginx": Unit("nginx.conf"),
    "redis": Unit("redis.conf"),
    "firewall": Unit("tandem-firewall.service"),
}


def service(kind: str) -> Unit:
    """Return the unit of an instance with its sandbox."""
    return SANDBOXED[kind]


def stop_seconds(unit: Unit) -> int:
    """Return how long a unit may take to stop."""
    return int(unit["Service", "TimeoutStopSec"])


@pytest.mark.parametrize("name", SANDBOXED)
@pytest.mark.parametrize("directive", SANDBOX)
def test_every_service_is_in_a_sandbox(name: str, directive: str):
    assert SANDBOXED[name]["Service", directive] == SANDBOX[directive]


@pytest.mark.parametrize("kind", KINDS)
def test_a_process_of_the_site_has_no_rights_and_its_own_files_alone(kind: str):
    unit = service(kind)
    for directive, value in SITE_ONLY.items():
        assert unit["Service", directive] == value, directive
    assert unit["Service", "CapabilityBoundingSet"] == ""
    assert "CapabilityBoundingSet" in unit.names("Service")
    assert unit["Service", "AmbientCapabilities"] == ""
    assert unit["Service", "ReadWritePaths"] == "-/srv/tandem/media -/srv/tandem/data"
    assert unit["Service", "RestrictAddressFamilies"] == "AF_UNIX AF_INET AF_INET6"
    assert unit["Service", "User"] == f"tandem-{kind}"
    assert unit["Service", "Group"] == "tandem"


def test_no_two_kinds_are_the_same_user():
    users = {service(kind)["Service", "User"] for kind in KINDS}
    assert len(users) == len(KINDS)
    assert "root" not in users


def test_nginx_may_open_its_ports_and_nothing_else():
    unit = SANDBOXED["nginx"]
    assert unit["Service", "User"] == unit["Service", "Group"] == "www-data"
    for directive in ("CapabilityBoundingSet", "AmbientCapabilities"):
        assert unit["Service", directive] == "CAP_NET_BIND_SERVICE"
    assert unit["Service", "ReadWritePaths"] == "/var/log/nginx"
    assert unit["Service", "RuntimeDirectoryMode"] == "0750"


def test_of_nginxs_paths_the_last_part_alone_is_its_own():
    unit = SANDBOXED["nginx"]
    # Debian's places for request bodies and the like; what is around them stays root's.
    assert unit["Service", "StateDirectory"].split() == [
        f"nginx/{name}" for name in ("body", "fastcgi", "proxy", "scgi", "uwsgi")
    ]
    assert unit["Service", "StateDirectoryMode"] == "0700"
    made = (ROOT / "deploy/systemd/nginx.tmpfiles").read_text().splitlines()
    # Files, no folder, and not for everybody.
    assert {tuple(line.split()[::2]) for line in made if line[0] != "#"} == {("f", "0640", "adm")}
    shadow = Unit("nginx-shadow.socket")
    assert shadow["Socket", "ListenStream"] == "/run/tandem-nginx/shadow.sock"
    assert (shadow["Socket", "SocketUser"], shadow["Socket", "SocketMode"]) == ("www-data", "0600")
    assert shadow["Socket", "Service"] == "nginx.service"
    assert shadow["Install", "WantedBy"] == "sockets.target"


def test_root_asks_nginx_and_follows_nothing_of_its():
    text = (ROOT / "deploy/nginx/upgrade.sh").read_text()
    assert "cat $pid" not in text
    assert "systemctl show --property=MainPID --value nginx.service" in text
    assert not re.search(r"(?m)^ *(kill|/usr/sbin/nginx -s)", text)
    assert "--property=User=www-data" in text
    # 'nginx -t' and 'nginx -s' by root find no file of nginx' own.
    assert not re.search("(?m)^pid", (ROOT / "deploy/nginx/nginx.conf").read_text())


def test_redis_and_the_firewall_have_no_more_than_they_need():
    redis, firewall = SANDBOXED["redis"], SANDBOXED["firewall"]
    assert "CapabilityBoundingSet" in redis.names("Service")
    assert redis["Service", "CapabilityBoundingSet"] == ""
    assert redis["Service", "PrivateUsers"] == "yes"
    assert redis["Service", "RuntimeDirectoryMode"] == "0750"
    assert firewall["Service", "CapabilityBoundingSet"] == "CAP_NET_ADMIN"
    assert firewall["Service", "RestrictAddressFamilies"] == "AF_NETLINK AF_UNIX"
    for unit in (redis, firewall):
        assert unit["Service", "UMask"] == "0077"


@pytest.mark.parametrize("name", [n for n in SANDBOXED if n != "firewall"])
def test_what_ends_is_started_again(name: str):
    assert SANDBOXED[name]["Service", "Restart"] == "always"
    assert SANDBOXED[name]["Service", "RestartSec"] in ("1", "100ms")


@pytest.mark.parametrize("kind", KINDS)
def test_a_site_that_fails_is_tried_again_for_ever_and_less_and_less_often(kind: str):
    assert service(kind)["Unit", "StartLimitIntervalSec"] == "0"
    patience = Unit("back-off.conf")
    assert int(patience["Service", "RestartSteps"]) > 1
    assert patience["Service", "RestartMaxDelaySec"] == "30"


@pytest.mark.parametrize("kind", SERVERS)
def test_an_instance_leaves_nginx_before_it_stops_and_is_back_when_it_answers(kind: str):
    unit = service(kind)
    assert unit["Service", "ExecStart"] == f"{HERE}/run.sh {kind}"
    assert unit["Service", "ExecStartPost"].splitlines() == [
        f"{TOOL} probe %p@%i /health/live/ 60",
        f"+{TOOL} socket back",
    ]
    assert unit["Service", "ExecStop"] == f"-+{TOOL} socket leave"
    assert unit["Service", "ExecStopPost"] == f"-+{TOOL} socket away"
    assert int(unit["Service", "TimeoutStartSec"]) > 60  # the probe's own limit


@pytest.mark.parametrize("kind", KINDS)
def test_an_instance_runs_its_own_release_with_the_sites_settings(kind: str):
    unit = service(kind)
    assert unit["Service", "ExecStart"].startswith(f"{HERE}/run.sh {kind}")
    # Root's commands get it as well, so nothing of a release is in it.
    assert unit["Service", "EnvironmentFile"] == "/etc/tandem/site.env"
    assert unit["Service", "Environment"] == "TANDEM_UPSTREAM=%p@%i"


@pytest.mark.parametrize("kind", KINDS)
def test_root_runs_its_own_tool_and_nothing_of_a_release(kind: str):
    unit = service(kind)
    assert unit["Service", "ExecStartPre"] == f"+{TOOL} starts %p@%i"
    for name in ("ExecStartPre", "ExecStart", "ExecStartPost", "ExecStop", "ExecStopPost"):
        for command in unit["Service", name].splitlines():
            prefix, _, program = command.partition("/")
            assert "+" not in prefix or f"/{program}".startswith(f"{TOOL} "), command
    first = (ROOT / "ansible/roles/tools/files/instance.py").read_text().splitlines()[0]
    assert first == "#!/usr/bin/python3 -I"  # no module of somebody else's folder


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_under_way_may_end_before_the_kill(kind: str):
    unit = service(kind)
    # The servers' own graceful timeouts are 25 s (docs/timeouts.md) at a drain of 10 s.
    assert stop_seconds(unit) == 40
    # The first signal to the main process alone: workers end as their master tells them.
    assert unit["Service", "KillMode"] == "mixed"
    assert unit["Service", "KillSignal"] in ("", "SIGTERM")


def test_nginx_ends_gracefully_and_reloads_only_what_it_accepts():
    unit = SANDBOXED["nginx"]
    assert unit["Service", "KillSignal"] == "SIGQUIT"
    assert unit["Service", "KillMode"] == "mixed"
    assert stop_seconds(unit) == 10
    assert unit["Service", "ExecStartPre"].splitlines() == [LOGS, TRIED]
    assert unit["Service", "ExecReload"].splitlines() == [
        LOGS,
        TRIED,
        "/bin/kill -HUP $MAINPID",
        "-/bin/sh /etc/nginx/tandem/move-sockets.sh",
    ]
    assert unit["Service", "ExecStart"] == "/bin/sh /etc/nginx/tandem/start.sh"
    assert (unit["Service", "Type"], unit["Service", "PIDFile"]) == (
        "forking",
        "/run/nginx/nginx.pid",
    )
    # Two workers must not race for one connection in a blocking accept().
    assert unit["Service", "NonBlocking"] == "yes"


def test_nginx_is_stopped_first_and_started_last():
    unit = SANDBOXED["nginx"]
    assert unit["Unit", "After"] == "tandem.target nginx.socket nginx-shadow.socket"
    assert unit["Unit", "Requires"] == "nginx.socket nginx-shadow.socket"


def test_the_ports_are_held_whatever_becomes_of_nginx():
    unit = Unit("nginx.socket")
    assert unit["Socket", "ListenStream"].splitlines() == [
        "0.0.0.0:80", "[::]:80", "0.0.0.0:443", "[::]:443",
    ]  # fmt: skip
    assert unit["Socket", "BindIPv6Only"] == "ipv6-only"
    assert unit["Socket", "FlushPending"] == "no"
    assert unit["Install", "WantedBy"] == "sockets.target"
    # nginx takes them in this order, by its own way of handing sockets on.
    script = (ROOT / "deploy/nginx/start.sh").read_text()
    assert "NGINX=$(seq -s : 3 $((2 + LISTEN_FDS))):\nexport NGINX\n" in script
    assert "/usr/sbin/nginx -g 'daemon off; pid /run/nginx/nginx.pid;' &" in script


@pytest.mark.parametrize("kind", SERVERS)
def test_a_socket_outlives_its_process_and_is_closed_to_others(kind: str):
    unit = Unit(f"{kind}@.socket")
    assert unit["Socket", "ListenStream"] == f"/run/tandem/{kind}@%i.sock"
    assert unit["Socket", "SocketUser"] == f"tandem-{kind}"
    assert unit["Socket", "SocketGroup"] == "www-data"
    assert unit["Socket", "SocketMode"] == "0660"
    assert unit["Socket", "DirectoryMode"] == "0755"
    assert unit["Socket", "FlushPending"] == "no"
    # Where there is no systemd, tandem.instance.listen does the same.
    assert int(unit["Socket", "Backlog"]) == listen.BACKLOG >= 1024
    assert int(unit["Socket", "SocketMode"], 8) == listen.MODE
    assert service(kind)["Unit", "Requires"] == f"{kind}@%i.socket"
    assert service(kind)["Unit", "After"].split()[0] == f"{kind}@%i.socket"


@pytest.mark.parametrize("kind", SERVERS)
def test_a_release_that_is_tried_is_unknown_to_nginx_and_comes_last(kind: str):
    socket = Unit(f"{kind}@.socket", "trial-socket.conf")
    assert socket["Socket", "ListenStream"] == "/run/tandem/%p@%i.sock"
    trial = Unit(f"{kind}@.service", "sandbox.conf", "trial.conf")
    assert trial["Service", "Restart"] == "no"
    assert trial["Service", "UnsetEnvironment"] == "TANDEM_LISTEN"
    assert int(trial["Service", "CPUWeight"]) < 100
    assert trial["Service", "User"] == f"tandem-{kind}"  # the same sandbox


@pytest.mark.parametrize("kind", KINDS)
def test_all_of_the_site_starts_and_stops_together_and_at_boot(kind: str):
    unit = service(kind)
    assert unit["Unit", "PartOf"] == "tandem.target"
    assert unit["Install", "WantedBy"] == "tandem.target"
    assert {"postgresql.service", "redis-server@tandem.service"} <= set(
        unit["Unit", "After"].split()
    )
    assert Unit("tandem.target")["Install", "WantedBy"] == "multi-user.target"


@pytest.mark.parametrize("name", [*SERVERS, "nginx", "redis"])
def test_thousands_of_sockets_may_be_open(name: str):
    assert int(SANDBOXED[name]["Service", "LimitNOFILE"]) >= 20_000


def test_when_memory_ends_the_site_dies_before_what_others_need():
    scores = {n: int(u["Service", "OOMScoreAdjust"] or 0) for n, u in SANDBOXED.items()}
    assert scores["redis"] < scores["nginx"] < scores["asgi"] <= scores["wsgi"] <= scores["process"]
    assert scores["asgi"] > 0


def test_the_firewall_is_up_before_the_network_and_leaves_other_rules():
    unit = SANDBOXED["firewall"]
    assert "network-pre.target" in unit["Unit", "Before"]
    assert unit["Unit", "Wants"] == "network-pre.target"
    for when in ("ExecStart", "ExecReload"):
        assert unit["Service", when] == "/usr/sbin/nft --file /etc/tandem/firewall.nft"
    assert unit["Service", "ExecStop"] == "/usr/sbin/nft delete table inet tandem"
    assert unit["Service", "RemainAfterExit"] == "yes"
    assert unit["Install", "WantedBy"] == "multi-user.target"


def test_no_unit_holds_a_secret():
    for path in sorted((ROOT / "deploy").rglob("*")):
        if path.is_file():
            assert not re.search(r"(?i)(password|secret_key|token)=\S", path.read_text()), path


def test_redis_runs_by_our_files():
    assert SANDBOXED["redis"]["Service", "ExecStart"] == (
        "/usr/bin/redis-server /etc/tandem/redis/tandem.conf"
        " --include /etc/tandem/redis/host.conf --supervised systemd"
    )
