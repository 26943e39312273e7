"""Any line of a log is an entry or not of our format; no status means *worse* by mistake."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tandem.__main__ import main as tandem
from tandem.ops.report import cli as report
from tandem.ops.report.accesslog import Reader

GOOD = {
    "time": "2026-11-24T15:00:00+01:00", "upstream": "wsgi@1", "route": "/", "status": 200,
    "seconds": "0.1", "header_seconds": "0.1", "method": "GET", "path": "/a", "arm": "asgi",
    "share": "10", "client": "1.2.3.4", "agent": "x", "upstream_status": "200",
}  # fmt: skip
ODD = [
    None, True, [], {}, [[]], -1, 1e400, 10**400, 2**63, "", "NaN", "inf", "-1", "1e999", "\ud800",
    "a\0b", "x" * 100_000, "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "0, nan",
]  # fmt: skip
ALONE = [
    b"[" * 200_000, b"{" * 200_000, b"NaN", b"\0", b"\xff\xfe", b"null", b"[]", b'"x"', b"{}",
    b'{"a":' * 50_000, b"9" * 5000, b'{"time": 1}', b"\x1b[2K", b'{"time":"\\ud800"}',
]  # fmt: skip
VALUES = st.sampled_from(ODD) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=5
)


def judged(folder: Path, lines: list[bytes], *options: str) -> int:
    """Return the exit status of a report on a log of these lines."""
    log, routes = folder / "log", folder / "routes.yml"
    log.write_bytes(b"\n".join(lines) + b"\n")
    routes.write_text("- {path: /, upstream: wsgi}\n")
    return report.main([str(log), "--routes-file", str(routes), *options])


@pytest.mark.parametrize("form", ["table", "json", "html"])
def test_a_log_of_odd_lines_is_reported_all_the_same(form: str, tmp_path: Path, capsys):
    lines = [json.dumps({**GOOD, name: odd}).encode() for name in GOOD for odd in ODD]
    assert judged(tmp_path, [*lines, *ALONE], "--format", form) == 0
    capsys.readouterr().out.encode()
    # Nothing in it can be judged: too early to tell, and not worse.
    assert judged(tmp_path, [*lines, *ALONE], "--gate", "--format", form) == 2


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(st.sampled_from([*GOOD]), VALUES), st.binary())
def test_any_line_is_an_entry_or_none(changed: dict, raw: bytes):
    reader = Reader()
    reader.entry(raw)
    entry = reader.entry(json.dumps({**GOOD, **changed}).encode())
    if entry is not None:
        f"{entry.route}{entry.path}{entry.client}".encode()
        assert entry.seconds >= 0
        assert entry.header_seconds is None or entry.header_seconds >= 0


def test_an_error_nobody_expected_is_no_verdict(tmp_path: Path, monkeypatch, capsys):
    def broken(*_: object) -> None:
        raise ValueError("x")

    monkeypatch.setattr(report, "summarise", broken)
    assert judged(tmp_path, [json.dumps(GOOD).encode()], "--gate") == 3
    assert "these logs cannot be judged: ValueError: x" in capsys.readouterr().err


@pytest.mark.parametrize(("command", "status"), [("adopt", 2), ("compare", 2), ("routes", 3)])
def test_what_a_command_did_not_expect_is_a_sentence(command, status, monkeypatch, capsys):
    import importlib

    from tandem.ops import commands

    def broken(arguments: list[str]) -> int:
        raise LookupError("x\ny \ud800")

    monkeypatch.setattr(importlib.import_module(commands.COMMANDS[command]), "main", broken)
    monkeypatch.setattr("sys.argv", ["tandem", command])
    assert tandem() == status
    told = capsys.readouterr().err
    assert told.startswith(f"tandem: {command} cannot go on (LookupError: x y")
    assert len(told.splitlines()) == 1
