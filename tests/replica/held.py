"""Queries that take as long as a test wants."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.stack import Stack

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"


@contextmanager
def held(stack: Stack, statement: str) -> Iterator[None]:
    """Hold the locks that ``statement`` takes; it returns a row."""
    command = ["docker", "exec", "--interactive", stack.container("postgres-1"), "psql", "-AtqX",
               "--set", "ON_ERROR_STOP=1", "tandem"]  # fmt: skip
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as session:
        assert session.stdin is not None
        assert session.stdout is not None
        session.stdin.write(f"BEGIN; {statement};\n")
        session.stdin.flush()
        assert session.stdout.readline(), f"PostgreSQL refused: {statement}"
        try:
            yield
        finally:
            session.stdin.close()  # which ends the session


def waiting(stack: Stack) -> int:
    """Return how many queries wait for a lock."""
    return int(psql(stack, WAITING))


def psql(stack: Stack, statement: str) -> str:
    """Run SQL beside all instances, as PostgreSQL's own user."""
    return stack.compose("exec", "-T", "postgres", "psql", "-AtqX", "tandem", "-c", statement)
