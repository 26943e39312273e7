"""The replica is a server: both taken apart, with only the listed differences."""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Iterator

import pytest

from tandem.facts import KINDS
from tests.servers.rehearsal import HANG_SECONDS, Rehearsal
from tests.stack import Stack

pytestmark = pytest.mark.timeout(2 * HANG_SECONDS)

# Redis: what differs, and why.
REDIS = {
    "maxmemory", "maxclients",  # from the server's size
    "supervised", "pidfile",  # systemd
    "dir", "oom-score-adj-values", "always-show-logo",
}  # fmt: skip
POSTGRES = {
    # from the server's size
    "max_connections", "shared_buffers", "effective_cache_size", "work_mem", "maintenance_work_mem",
    # Debian's cluster: its places, TLS for connections that nobody makes, its own title
    "cluster_name", "config_file", "data_directory", "hba_file", "ident_file", "external_pid_file",
    "ssl", "ssl_cert_file", "ssl_key_file", "stats_temp_directory", "DateStyle", "lc_messages",
    "lc_monetary", "lc_numeric", "lc_time", "default_text_search_config", "log_timezone",
    "dynamic_shared_memory_type", "max_wal_size", "min_wal_size", "transaction_deferrable",
    "port", "client_encoding", "application_name", "TimeZone", "transaction_isolation",
    "transaction_read_only",
}  # fmt: skip


class Replica(Stack):
    """A replica beside those of other tests."""

    what = "parity"


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """Bring it up, and take it away."""
    stack = Replica()
    try:
        stack.up()
        yield stack
    finally:
        stack.compose("down", "--volumes", "--remove-orphans")


def files(effective: str) -> dict[str, str]:
    """Split ``nginx -T`` into the files that it read."""
    parts = re.split(r"(?m)^# configuration file (\S+):$", effective)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_nginx_is_configured_the_same(stack: Stack, trixie: Rehearsal):
    replica = files(stack.compose("exec", "-T", "nginx", "nginx", "-T"))
    server = files(trixie.execute("trixie", "nginx -T 2>/dev/null"))
    assert set(replica) == set(server)
    differing = {name for name in replica if replica[name].strip() != server[name].strip()}
    # Names, ports, limits: generated for the place; and the tokens of its staff.
    assert differing <= {
        f"/etc/tandem/nginx/{name}.conf"
        for name in ("server", "server-name", "socket-limits", "force")
    }


def settings(text: str) -> dict[str, str]:
    """Return Redis' ``CONFIG GET *`` as a dictionary."""
    lines = text.splitlines()
    return dict(itertools.zip_longest(lines[::2], lines[1::2], fillvalue=""))


def differing(one: dict[str, str], two: dict[str, str]) -> dict[str, tuple[str | None, str | None]]:
    """Return what is not the same."""
    return {
        k: (one.get(k), two.get(k)) for k in one.keys() | two.keys() if one.get(k) != two.get(k)
    }


def test_redis_is_configured_the_same(stack: Stack, trixie: Rehearsal):
    ask = "redis-cli -s /run/redis-tandem/redis-server.sock config get '*'"
    replica = settings(stack.redis("config", "get", "*"))
    server = settings(trixie.execute("trixie", ask))
    found = differing(replica, server)
    assert set(found) <= REDIS, found
    assert replica["maxmemory-policy"] == server["maxmemory-policy"] == "noeviction"


def test_postgres_is_configured_the_same(stack: Stack, trixie: Rehearsal):
    query = "select name, setting from pg_settings where source <> 'default'"
    replica = stack.compose("exec", "-T", "postgres", "psql", "-AtF=", "tandem", "-c", query)
    server = trixie.execute("trixie", f'runuser -u postgres -- psql -AtF= tandem -c "{query}"')
    one, two = (dict(line.split("=", 1) for line in t.splitlines()) for t in (replica, server))
    found = differing(one, two)
    assert set(found) <= POSTGRES, found


@pytest.mark.parametrize("kind", KINDS)
def test_the_servers_run_by_the_same_command(stack: Stack, trixie: Rehearsal, kind: str):
    read = "tr '\\0' ' ' </proc/%s/cmdline"
    replica = stack.compose("exec", "-T", kind, "sh", "-c", read % 1)
    pid = trixie.execute("trixie", f"systemctl show -P MainPID {kind}@1")
    server = trixie.execute("trixie", read % pid)

    def plain(command: str) -> str:
        return re.sub(r"releases/[^/ ]+", "releases/R", command).strip()

    assert plain(replica) == plain(server)


# As a process of the site: where programs of any kind write without being told to.
WRITES = """
import os, pathlib, tempfile
for place in ("/tmp", "/var/tmp", tempfile.gettempdir(), os.environ["HOME"]):
    folder = pathlib.Path(place, ".cache", "any-program")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "file").write_text("written")
print(os.environ["HOME"], os.environ["LANG"])
"""


@pytest.mark.parametrize("kind", KINDS)
def test_a_process_has_the_same_home_in_both_and_may_write_to_it(
    stack: Stack, trixie: Rehearsal, kind: str
):
    variables = "$(tr '\\0' '\\n' </proc/%s/environ | grep -E '^(HOME|LANG)=')"
    write = f"python3 -c {shlex.quote(WRITES)}"
    replica = stack.compose("exec", "-T", kind, "sh", "-c", f"env {variables % 1} {write}")
    pid = trixie.execute("trixie", f"systemctl show -P MainPID {kind}@1")
    # Its variables are read outside: in its mount namespace there are its own processes alone.
    inside = f"nsenter --target {pid} --mount runuser -u tandem-{kind} -- env"
    server = trixie.execute("trixie", f"{inside} {variables % pid} {write}")
    assert replica.strip() == server.strip() == "/var/tmp/home C.UTF-8"


def test_packages_are_debians_own_in_both(stack: Stack, trixie: Rehearsal):
    for service, package in (("nginx", "nginx"), ("redis", "redis-server"), ("wsgi", "python3")):
        query = f"dpkg-query --show --showformat '${{Version}}' {package}"
        versions = (
            stack.compose("exec", "-T", service, "sh", "-c", query),
            trixie.execute("trixie", query),
        )
        # A server installs security updates by itself, an image when it is built anew.
        replica, server = (re.sub(r"\+deb\d+u\d+$", "", version) for version in versions)
        assert replica == server, versions
