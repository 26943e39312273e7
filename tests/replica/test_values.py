"""Any value through the real parsers of Redis and PostgreSQL, and back."""

from __future__ import annotations

import json
import subprocess

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tandem.ops import encode
from tests.stack import Stack
from tests.unit.ops.test_encode import ODD, TEXTS

FEW = settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck))
VALUES = st.lists(TEXTS, min_size=60, max_size=120)


def read(stack: Stack, service: str, *command: str, text: str) -> str:
    """Return what a program of a service's image prints about a text."""
    run = ["docker", "run", "--rm", "--interactive", "--network", "none"]
    done = subprocess.run(
        [*run, f"{stack.project}-{service}", *command], input=text.encode(), capture_output=True
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


@FEW
@given(VALUES)
def test_a_value_is_what_redis_reads(stack: Stack, values: list[str]):
    values = [*values, *ODD]
    commands = "".join(f"ECHO {encode.redis(value)}\n" for value in values)
    script = (
        "redis-server --port 0 --unixsocket /tmp/r.sock --daemonize yes --dir /tmp >/dev/null;"
        "until redis-cli -s /tmp/r.sock ping >/dev/null 2>&1; do sleep 0.05; done;"
        "redis-cli -s /tmp/r.sock --json"
    )
    said = read(stack, "redis", "sh", "-c", script, text=commands)
    assert [json.loads(line) for line in said.rstrip("\n").split("\n")] == values


def test_redis_starts_with_any_password(stack: Stack):
    word = encode.redis("a b\"c\\d#e'f$`")
    script = (
        "cat >/tmp/r.conf; redis-server /tmp/r.conf --port 0 --unixsocket /tmp/r.sock"
        " --daemonize yes --dir /tmp >/dev/null;"
        "until redis-cli -s /tmp/r.sock ping >/dev/null 2>&1; do sleep 0.05; done;"
        "sed s/requirepass/AUTH/ /tmp/r.conf | redis-cli -s /tmp/r.sock --no-auth-warning"
    )
    said = read(stack, "redis", "sh", "-c", script, text=f"requirepass {word}\n")
    assert said.split() == ["OK"]


@FEW
@given(VALUES)
def test_a_value_is_what_postgresql_reads(stack: Stack, values: list[str]):
    values = [value for value in (*values, *ODD) if value]
    lines = "".join(f"t.v{n} = {encode.postgresql(value)}\n" for n, value in enumerate(values))
    script = (
        "bin=$(echo /usr/lib/postgresql/*/bin); $bin/initdb --no-sync -E UTF8 -D /tmp/d >/dev/null;"
        "cat >>/tmp/d/postgresql.conf;"
        'echo "select json_agg(setting order by sourceline) from pg_file_settings where name like'
        " 't.%'\" | $bin/postgres --single -j -D /tmp/d postgres"
    )
    said = read(stack, "postgres", "sh", "-c", script, text=lines)
    found = said[said.index('json_agg = "') + len('json_agg = "') : said.rindex('"\t(')]
    assert json.loads(found) == values
