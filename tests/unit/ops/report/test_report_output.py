"""What the report shows: the table, the page, and the keys of the JSON."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tandem.ops.report import cli as report
from tandem.ops.report import page, table
from tests.stack import ROOT
from tests.unit.ops.report.access_lines import clients, line


def busy_log() -> list[str]:
    rng = random.Random(6)
    long = "/" + "very-long-path/" * 9
    return (
        [line(n, seconds=rng.lognormvariate(-3, 1), status=503 if n % 50 == 0 else 200)
         for n in range(900)]
        + clients(0.2, 400, "20", upstream_status="502, 200", fallback="wsgi")
        + [line(n, route=long, upstream="asgi@1", seconds=12.0) for n in range(9)]
        + [line(n, route="/ws/", upstream="asgi@1", status=101, seconds=4e5) for n in range(9)]
        + ["broken\n"]
    )  # fmt: skip


def test_the_table_fits_100_columns(tmp_path: Path, capsys):
    log = tmp_path / "log"
    log.write_text("".join(busy_log()))
    assert report.main([str(log)]) == 0
    out = capsys.readouterr().out
    table = [text for text in out.splitlines() if "log:" not in text and "decided" not in text]
    assert max(map(len, table)) <= 100
    assert "12 s" in out
    assert "4 d 15 h" in out
    assert "answered by the fallback" in out
    assert "left out, as not of our format: 1; the first is " in out


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [
        (9, 9, "100 %"),
        (996, 1000, "100 %"),
        (1, 8, "12 %"),
        (1, 300, "0.33 %"),
        (1, 10**6, "<0.01 %"),
    ],
)
def test_a_rate_is_written_as_people_write_it(part: int, whole: int, shown: str):
    assert table.rate(part, whole) == shown
    assert table.plain(12_345.6, 4) == "12350"


def test_a_reader_that_leaves_is_no_accident(tmp_path: Path):
    log = tmp_path / "log"
    log.write_text("".join(line(route=f"/{n}/") for n in range(4000)))
    command = f"{sys.executable} -m tandem.ops.report.cli {log} --format json | head -c 20"
    done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True)
    assert (done.stdout[:1], done.stderr) == ("{", "")


class Strict(HTMLParser):
    """Complains about what a strict Content-Security-Policy would not let through."""

    void = {"meta", "path", "rect"}

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.complaints: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name for name, _ in attrs}
        if tag in ("script", "link", "img", "iframe") or names & {"style", "src", "href", "onload"}:
            self.complaints.append(f"{tag} {attrs}")
        if tag not in self.void:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        if self.open.pop() != tag:
            self.complaints.append(f"</{tag}> does not close what is open")


def test_the_page_stands_alone_under_a_strict_policy(tmp_path: Path, told):
    found = told(busy_log())
    text = page.render(found)
    strict = Strict()
    strict.feed(text)
    assert strict.complaints == []
    assert strict.open == []
    assert not re.search(r"https?://|url\(|@import", text)
    assert text.count("<style>") == 1
    assert "nan" not in text.lower().replace("tenancy", "")
    assert {"p95 over time", "5xx over time"} <= set(
        re.findall(r"p95 over time|5xx over time", text)
    )


def test_the_page_shows_a_path_as_it_is_and_never_as_markup(told):
    found = told([line(route='/<b onload="x">/')])
    text = page.render(found)
    assert "<b " not in text
    assert "/&lt;b onload=&quot;x&quot;&gt;/" in text


def test_one_request_makes_a_page(told):
    text = page.render(told([line(seconds=0.0)]))
    assert "&lt;1 ms" in text


def keys(value: Any, at: str = "") -> set[str]:
    """Return the paths of all keys: "routes[].seconds.p50"."""
    if isinstance(value, dict):
        return {path for key, one in value.items() for path in keys(one, f"{at}.{key}".lstrip("."))}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return {path for one in value for path in keys(one, f"{at}[]")}
    return {at}


def test_the_keys_are_those_that_the_documentation_lists(told, tmp_path: Path):
    routes = tmp_path / "routes.yml"
    routes.write_text("- path: /\n  upstream: wsgi\n- path: /e/\n  upstream: asgi\n  mode: sse\n")
    found = told([*busy_log(), line(route="/e/")], "--routes-file", str(routes))
    page_text = (ROOT / "docs/report.md").read_text()
    documented = set(re.findall(r"^\| `([\w.\[\]]+)` \|", page_text, re.M))
    # Where a row has none, it is null or empty.
    absent = {"routes[].websockets", "routes[].streams", "routes[].timeline"}
    assert keys(found) - absent == documented
