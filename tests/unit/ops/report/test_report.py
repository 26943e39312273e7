"""The report: what it adds up from an access log, and what it shows."""

from __future__ import annotations

import gzip
import io
import json
import random
import subprocess
import sys
import tracemalloc
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tandem.ops.report import cli as report
from tandem.ops.report import logsource
from tandem.ops.report.figures import Figures
from tandem.ops.report.quantiles import RELATIVE_ERROR, Sketch
from tandem.ops.report.timeline import MOST_STEPS
from tests.stack import ROOT
from tests.unit.ops.report.access_lines import line


def row(told: dict[str, Any], route: str, side: str) -> dict[str, Any]:
    return next(r for r in told["routes"] if (r["route"], r["side"]) == (route, side))


def test_lines_are_understood_as_compose_prints_them(told):
    assert told(["\x1b[2K" + line(), line()])["routes"][0]["requests"] == 2


def test_copies_of_a_mirrored_route_are_not_requests(told):
    found = told([line(), line(upstream="asgi@1", shadow="asgi", seconds=5)])
    assert [(r["side"], r["requests"]) for r in found["routes"]] == [("wsgi", 1)]
    assert found["lines"]["broken"] == 0


def test_requests_are_counted_by_route_and_by_the_side_that_answered(told):
    found = told(
        [line(n, upstream="asgi@2", route="/api/", seconds=n / 1000) for n in range(1, 101)]
        + [line(upstream="wsgi@1", status=500), line(100, upstream="edge", status=429)]
    )
    api = row(found, "/api/", "asgi")
    assert api["requests"] == 100
    assert api["requests_per_second"] == 1.0
    assert api["seconds"] == {"count": 100, "p50": 0.05, "p95": 0.095, "p99": 0.099}
    assert row(found, "/", "wsgi")["server_errors"] == 1
    assert row(found, "/", "edge")["client_errors"] == 1
    assert [(r["route"], r["side"]) for r in found["routes"]] == [
        ("/", "wsgi"), ("/", "edge"), ("/api/", "asgi"),
    ]  # fmt: skip


def test_quantiles_are_within_the_error_that_is_stated():
    rng = random.Random(1)
    values = sorted(rng.lognormvariate(0, 2) for _ in range(5000))
    sketch = Sketch()
    for value in values:
        sketch.add(value)
    for share in (0.01, 0.5, 0.95, 0.99, 1.0):
        exact = values[max(0, -int(-share * 5000 // 1) - 1)]
        assert abs(sketch.quantile(share) - exact) <= exact * RELATIVE_ERROR + 0.0005


def test_two_sketches_merge_without_loss():
    whole, first, second = Sketch(), Sketch(), Sketch()
    for n in range(3000):
        whole.add(n / 700)
        (first if n % 3 else second).add(n / 700)
    first.merge(second)
    assert first == whole


def test_broken_lines_are_counted_and_the_first_is_named(told):
    whole = line()
    nonsense = [
        "no json\n", "[1]\n", "{}\n", whole[:80] + "\n", "null\n", "[" * 100_000 + "\n", "\0\xff\n",
        line(time=5), line(time="2026-11-24T08:00:00"), line(seconds="NaN"), line(seconds=-1),
        line(status="x"), line(upstream=None), line(upstream_status=7),
    ]  # fmt: skip
    found = told([whole, *nonsense, "\n", whole])
    assert found["lines"]["broken"] == len(nonsense)
    assert found["lines"]["used"] == 2
    assert found["lines"]["first_broken"].endswith("access.json:2")


def test_a_line_without_an_end_does_not_fill_the_memory(tmp_path: Path, told):
    endless = "x" * (5 << 20) + "\n"
    assert told([endless, line()])["lines"]["used"] == 1
    (tmp_path / "log").write_text(endless)
    assert max(map(len, logsource.lines(str(tmp_path / "log")))) == 1 << 20


def test_memory_does_not_grow_with_the_log():
    def peak(count: int) -> int:
        rng, figures = random.Random(2), Figures()
        lines = [
            line(n * 86400 / 2000, client=f"198.51.100.{n % 256}", agent=str(n % 50),
                 seconds=rng.expovariate(2), route="/api/", arm="wsgi", share="10").encode()
            for n in range(2000)
        ]  # fmt: skip
        tracemalloc.start()
        for n in range(count):
            figures.add_line(lines[n % 2000], "log", n)
        used = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        assert figures.read == count
        return used

    few = peak(5_000)
    assert peak(20_000) < 1.1 * few


def test_steps_of_the_timeline_grow_with_the_time_that_it_covers(told):
    found = told([line(n * 3600, status=500 if n == 300 else 200) for n in (5, 0, *range(700))])
    points = row(found, "/", "wsgi")["timeline"]
    assert len(points) <= MOST_STEPS
    assert sum(p["requests"] for p in points) == 702
    assert sum(p["server_errors"] for p in points) == 1
    assert all(p["time"] % found["step_seconds"] == 0 for p in points)


def test_a_window_leaves_out_what_ended_before_or_after(told):
    lines = [line(n) for n in range(0, 600, 60)]
    found = told(lines, "--since", "2026-11-24T08:02+00:00", "--until", "2026-11-24T09:04:30+01:00")
    assert row(found, "/", "wsgi")["requests"] == 3
    assert found["window"]["seconds"] == 150
    assert found["lines"]["outside"] == 7


def test_the_last_minutes_are_counted_from_now(told, monkeypatch):
    now = 1795507200 + 600  # ten minutes after the first line
    monkeypatch.setattr(report, "time", SimpleNamespace(time=lambda: now))
    found = told([line(n) for n in range(0, 600, 60)], "--last", "2m")
    assert row(found, "/", "wsgi")["requests"] == 2


def test_an_empty_window_says_what_the_log_has(tmp_path: Path, capsys):
    log = tmp_path / "access.json"
    log.write_text(line())
    for form in ("table", "html"):
        assert report.main([str(log), "--until", "2020-01-01", "--format", form]) == 0
        out = capsys.readouterr().out
        assert "None of the 1" in out or "the log has 2026-11-24T08:00:00+00:00" in out


def test_one_route_can_be_looked_at(told):
    found = told([line(), line(route="/a/"), line(route="/a/b/")], "--route", "/a/")
    assert [r["route"] for r in found["routes"]] == ["/a/"]


def test_sockets_have_durations_and_no_times_of_requests(told):
    held = {"route": "/ws/", "upstream": "asgi@1", "status": 101}
    found = told([line(100, seconds=s, **held) for s in (10.0, 20.0, 90.0)])
    ws = row(found, "/ws/", "asgi")
    assert ws["websockets"] == {
        "opened": 3, "closed": 3, "open_at_end_at_least": 0,
        "median_seconds": pytest.approx(20, rel=RELATIVE_ERROR), "longest_seconds": 90.0,
    }  # fmt: skip
    assert ws["seconds"]["count"] == 0


def test_sockets_open_at_the_end_are_those_whose_end_is_in_the_log(told):
    held = {"route": "/ws/", "upstream": "asgi@1", "status": 101}
    lines = [
        line(60, seconds=30, **held),  # came and went
        line(300, seconds=250, **held),  # opened in the window, open at its end
        line(300, seconds=299, **held),  # opened before it, open at its end
        line(300, seconds=10, **held),  # opened after it
        line(310),
    ]
    since, until = "2026-11-24T08:00:20+00:00", "2026-11-24T08:01:40+00:00"
    ws = row(told(lines, "--since", since, "--until", until), "/ws/", "asgi")["websockets"]
    assert (ws["opened"], ws["closed"], ws["open_at_end_at_least"]) == (2, 1, 2)


def test_a_stream_is_as_quick_as_its_first_byte(told, tmp_path: Path):
    routes = tmp_path / "routes.yml"
    routes.write_text(
        "- path: /\n  upstream: wsgi\n- path: /events/\n  upstream: asgi\n  mode: sse\n"
    )
    stream = line(
        400, route="/events/", upstream="asgi@1", seconds=300.0, header_seconds="2.000, 0.007"
    )
    found = row(told([stream], "--routes-file", str(routes)), "/events/", "asgi")
    assert found["seconds"]["p99"] == 0.007
    assert found["streams"]["median_seconds"] == pytest.approx(300, rel=RELATIVE_ERROR)


def test_retries_fallbacks_and_forced_requests_are_counted(told):
    found = told(
        [
            line(upstream_status="502, 200", upstream="asgi@2", route="/a/"),
            line(upstream_status="502, 502 : 200", upstream="wsgi@1", route="/a/", fallback="wsgi"),
            line(upstream="asgi@1", route="/a/", forced="asgi", arm="asgi", share="10"),
        ]
    )
    asgi, wsgi = row(found, "/a/", "asgi"), row(found, "/a/", "wsgi")
    assert (asgi["retries"], asgi["fallbacks"], asgi["forced"]) == (1, 1, 1)
    assert (wsgi["retries"], wsgi["fallbacks"], wsgi["requests"]) == (0, 0, 1)
    assert found["canaries"] == []  # a forced request is nobody's choice


def test_logs_come_compressed_from_several_files_and_from_standard_input(
    tmp_path: Path, monkeypatch, capsys
):
    with gzip.open(tmp_path / "old.gz", "wt") as old:
        old.write(line() + line())
    (tmp_path / "new").write_text(line())
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(line().encode())))
    names = [str(tmp_path / "old.gz"), str(tmp_path / "new"), "-"]
    assert report.main([*names, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["lines"]["used"] == 4


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["{tmp}/none"], "none: No such file"),
        (["{tmp}"], "Is a directory"),
        (["{tmp}/cut.gz"], "cut.gz: is not a whole gzip file"),
        (["{tmp}/plain.gz"], "plain.gz: is not a whole gzip file"),
        (["{tmp}/log", "--last", "soon"], "'soon' is no time span; write 90s"),
        (["{tmp}/log", "--since", "noon"], "'noon' is no time; write it as"),
        (["{tmp}/log", "--tolerance", "0"], "'0' is not between 1 and 10"),
        (["{tmp}/log", "--min-requests", "none"], "'none' is no number above 0"),
        (["{tmp}/log", "--routes-file", "{tmp}/none"], "none: No such file"),
        (["{tmp}/log", "--output", "{tmp}/no/page"], "no/page: No such file"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence_and_is_no_verdict(
    tmp_path: Path, arguments: list[str], complaint: str
):
    (tmp_path / "log").write_text(line())
    (tmp_path / "plain.gz").write_text(line())
    (tmp_path / "cut.gz").write_bytes(gzip.compress(random.Random(5).randbytes(9000))[:5000])
    done = subprocess.run(
        [sys.executable, "-m", "tandem.ops.report.cli"]
        + [argument.format(tmp=tmp_path) for argument in arguments],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 3
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr


def test_the_replicas_log_is_read_when_none_is_named(tmp_path: Path, monkeypatch, capsys):
    docker = tmp_path / "docker"
    docker.write_text(f"#!/bin/sh\necho \"$@\" >{tmp_path}/asked\ncat <<'END'\n{line()}END\n")
    docker.chmod(0o755)
    (tmp_path / "compose.yaml").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tandem.ops.report.logsource.SERVER_LOG", tmp_path / "none")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert report.main(["--since", "2026-11-24T07:00+00:00", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["lines"]["used"] == 1
    asked = (tmp_path / "asked").read_text()
    assert asked == "compose logs --no-log-prefix --no-color --since 1795503600 nginx\n"
    docker.write_text("#!/bin/sh\necho 'no such service: nginx' >&2\nexit 1\n")
    assert report.main([]) == 3
    assert "the replica's log: no such service: nginx" in capsys.readouterr().err
