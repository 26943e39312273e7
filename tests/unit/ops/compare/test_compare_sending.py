"""``tandem compare``: what it sends to whom, and what it refuses to send."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from tandem.ops.compare import cli
from tandem.ops.routes import force
from tests.machine import HANG_SECONDS
from tests.stack import ROOT
from tests.unit.deploy.nginx import KEY, Nginx
from tests.unit.ops.compare.compare_sites import Handler, Pair, Reply, Site, UnixSite, both
from tests.unit.ops.report.access_lines import line


@pytest.mark.parametrize("address", ["http://127.0.0.1:{port}", "unix:{tmp}/none.sock"])
def test_a_side_that_is_not_there_is_named_with_2(
    sites: Pair, tmp_path: Path, capsys, address: str
):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = address.format(port=port, tmp=tmp_path)
    (tmp_path / "list").write_text("/\n")
    assert cli.main([str(tmp_path / "list"), "--wsgi", sites[0].url, "--asgi", address]) == 2
    assert f"asgi at {address}: " in capsys.readouterr().err


def test_a_side_is_reached_through_its_socket(sites: Pair, tmp_path: Path, capsys):
    site = UnixSite(str(tmp_path / "s.sock"))
    site.say("/", "x")
    sites[0].say("/", "x")
    (tmp_path / "list").write_text("/\n")
    asgi = f"unix:{tmp_path}/s.sock"
    assert cli.main([str(tmp_path / "list"), "--wsgi", sites[0].url, "--asgi", asgi]) == 0
    method, path, headers = site.asked[0]
    assert (method, path) == ("GET", "/")
    assert headers["Host"] == "localhost"
    assert headers["X-Forwarded-Proto"] == "https"
    site.shutdown()
    site.server_close()


@pytest.fixture
def edge(sites: Pair, tmp_path: Path) -> Site:
    """Make the first site an edge: what it takes for a token, the maps of deploy/nginx say."""
    nginx = Nginx(tmp_path / "nginx")

    def forced(handler: Handler) -> str:
        return nginx.value("$forced", http_x_tandem_upstream=handler.headers["X-Tandem-Upstream"])

    def page(handler: Handler) -> Reply:
        return Reply("x", headers=[("X-Upstream", f"{forced(handler) or 'wsgi'}@1")])

    told = nginx.locations()["= /health/edge/"].headers("add_header")["x-tandem-forced"]
    assert told == ["$forced"]
    sites[0].views["/health/edge/"] = lambda h: Reply(headers=[("X-Tandem-Forced", forced(h))])
    sites[0].views["/"] = page
    (tmp_path / "list").write_text("/\n")
    return sites[0]


def through(edge: Site, tmp_path: Path, **tokens: str) -> int:
    """Compare through the edge; return the exit status."""
    tokens = {side: force.token(KEY, side) for side in force.SIDES} | tokens
    given = [f"--force-token-{side}={token}" for side, token in tokens.items()]
    return cli.main([str(tmp_path / "list"), "--edge", edge.url, *given])


def test_through_the_edge_each_side_is_forced_by_its_token(edge: Site, tmp_path: Path):
    assert through(edge, tmp_path) == 0
    sent = [headers["X-Tandem-Upstream"] for _, path, headers in edge.asked if path == "/"]
    assert Counter(sent) == {force.token(KEY, side): 3 for side in force.SIDES}
    assert not any("X-Forwarded-For" in headers for _, _, headers in edge.asked)


@pytest.mark.parametrize(
    ("side", "token", "said"),
    [
        ("asgi", force.token("another key" * 6, "asgi"), "{url} does not know the token for asgi"),
        ("wsgi", force.token("another key" * 6, "wsgi"), "{url} does not know the token for wsgi"),
        ("asgi", force.token(KEY, "wsgi"), "what was given as the token for asgi is none"),
        ("asgi", force.token(KEY, "asgi")[5:], "what was given as the token for asgi is none"),
        ("wsgi", "wsgi.\nX-Evil: 1", "what was given as the token for wsgi is none"),
    ],
)
def test_a_wrong_token_is_told_in_one_sentence_with_3(
    edge: Site, tmp_path: Path, capsys, side: str, token: str, said: str
):
    assert through(edge, tmp_path, **{side: token}) == 3
    told = capsys.readouterr()
    assert (told.out, told.err.count("\n")) == ("", 1)
    assert said.format(url=edge.url) in told.err
    assert token not in told.err
    assert "/" not in edge.paths


def test_the_replicas_own_tokens_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """As 'tandem routes force' finds them: nginx' file is asked for."""
    docker = tmp_path / "docker"
    docker.write_text(f"#!/bin/sh\nprintf '%s' '{force.force_conf(KEY)}'\n")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("HTTPS_PORT", "9")
    monkeypatch.delenv("SITE", raising=False)
    for side in force.SIDES:
        monkeypatch.delenv(force.variable(side), raising=False)
    wsgi, asgi, host = cli.sides(cli.parser(None).parse_args([]))
    assert host == "localhost:9"
    assert [side.headers[force.HEADER] for side in (wsgi, asgi)] == [
        force.token(KEY, "wsgi"), force.token(KEY, "asgi"),
    ]  # fmt: skip


def test_a_side_is_never_compared_with_itself(edge: Site, tmp_path: Path, capsys):
    edge.say("/", "x", headers=[("X-Upstream", "wsgi@2")])  # a route that cannot be forced
    assert through(edge, tmp_path) == 2
    assert "asked for asgi, but wsgi answered" in capsys.readouterr().out


def test_what_the_edge_answers_itself_is_not_called_the_same(edge: Site, tmp_path: Path, capsys):
    edge.say("/", "x", headers=[("X-Upstream", "edge")])
    assert through(edge, tmp_path) == 2
    told = capsys.readouterr().out
    assert "nothing was compared" in told
    assert "not compared: what nginx answers itself" in told


def test_a_side_for_which_the_edge_answers_differs(edge: Site, tmp_path: Path, capsys):
    """As where no instance of it is there."""
    page = edge.views["/"]
    gone = Reply("x", 502, headers=[("X-Upstream", "edge")])
    asgi = force.token(KEY, "asgi")
    edge.views["/"] = lambda h: gone if h.headers["X-Tandem-Upstream"] == asgi else page(h)
    assert through(edge, tmp_path) == 1
    assert "status: wsgi 200, asgi 502" in capsys.readouterr().out


def test_an_access_log_is_replayed_without_what_changes_something(
    sites: Pair, compare, tmp_path: Path
):
    both(sites, "/a/", "x")
    log = tmp_path / "log"
    log.write_text(
        line(path="/a/") * 3 + line(path="/a/", method="POST") + line(path="/ws/", status=101)
        + line(path="/a/", method="HEAD") + line(path="/a b") + line(path="//evil/") + "broken\n"
    )  # fmt: skip
    status, told = compare(["--log", str(log)], "--format", "json")
    assert status == 0
    asked = [(r["method"], r["path"]) for r in json.loads(told)["results"]]
    assert asked == [("GET", "/a/"), ("HEAD", "/a/"), ("GET", "//evil/")]
    assert {method for method, _, _ in sites[0].asked} == {"GET", "HEAD"}


def test_a_crawl_follows_the_links_of_this_site_only(sites: Pair, compare):
    links = (
        "/a/ b/?q=1#there http://127.0.0.1/c/ //elsewhere.test/ https://elsewhere.test/x"
        " mailto:a@b javascript:x() /accounts/logout/ http://[bad /ü/ #here"
    )
    both(
        sites, "/", "".join(f"<a href='{address}'>.</a>" for address in links.split())
        + "<img src=/i.png><script src=/s.js></script><link rel=stylesheet href=/s.css>",
    )  # fmt: skip
    both(sites, "/a/", status=302, headers=[("Location", "/d/")])
    both(sites, "/d/", "<a href=/>back</a>")
    compare(["--crawl", "/"], "--host", "127.0.0.1")
    assert set(sites[1].paths) == {"/", "/a/", "/b/?q=1", "/c/", "/%C3%BC/", "/d/"}
    compare(["--crawl", "/"], "--host", "127.0.0.1", "--assets")
    assert {"/i.png", "/s.js", "/s.css"} <= set(sites[1].paths)


def test_a_crawl_of_an_endless_site_ends(sites: Pair, compare):
    def page(handler: Handler) -> Reply:
        number = int(handler.path.rpartition("=")[2]) if "=" in handler.path else 0
        return Reply(f"<a href='?page={number + 1}'>next</a><a href='/x{number}/'>x</a>")

    for site in sites:
        site.views = {"/": page} | {f"/x{n}/": page for n in range(99)}
    status, _ = compare(["--crawl", "/"], "--limit", "8")
    assert status == 0
    assert len(sites[0].paths) == 8
    compare(["--crawl", "/"], "--limit", "30")
    assert sum(path.startswith("/?") for path in sites[0].paths) == 5


def test_the_limit_is_told(sites: Pair, compare):
    status, told = compare("".join(f"/{n}\n" for n in range(9)), "--limit", "4")
    assert status == 0
    assert "4 compared" in told
    assert "not compared: what comes after --limit" in told
    assert len(sites[0].asked) == 4 * 3


def test_no_more_than_so_many_requests_run_at_a_time(sites: Pair, compare):
    running, most, lock, three = [0], [0], threading.Lock(), threading.Event()

    def view(_: Handler) -> Reply:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
            if running[0] == 3:
                three.set()
        assert three.wait(HANG_SECONDS)
        time.sleep(0.02)  # for a fourth to come
        with lock:
            running[0] -= 1
        return Reply("x")

    for site in sites:
        site.views = {f"/{n}": view for n in range(8)}
    assert compare("".join(f"/{n}\n" for n in range(8)), "--concurrency", "3")[0] == 0
    assert most[0] == 3


LOGIN = (
    "<form action=/search><input name=q></form><form method=post action=''>"
    "<input type=hidden name=csrfmiddlewaretoken value=tok><input name=login>"
    "<input type=password name=secret></form>"
)


def login_page(handler: Handler) -> Reply:
    if handler.command == "GET":
        return Reply(LOGIN, headers=[("Set-Cookie", "csrftoken=c0; Path=/")])
    good = handler.sent == "csrfmiddlewaretoken=tok&login=demo&secret=p%26w"
    if good and handler.headers["Cookie"] == "csrftoken=c0" and handler.headers["Referer"]:
        return Reply(status=302, headers=[("Set-Cookie", "sessionid=s3cr3t123; HttpOnly")])
    return Reply(LOGIN)


def test_pages_behind_a_login_are_compared_with_one_session(sites: Pair, compare, tmp_path: Path):
    sites[0].views["/login/"] = login_page
    for site in sites:
        site.views["/me/"] = lambda handler: Reply(handler.headers["Cookie"] or "nobody")
    (tmp_path / "password").write_text("p&w\n")
    arguments = ["--login", "/login/", "--user", "demo", "--password-file"]
    status, _ = compare("/me/\n", *arguments, str(tmp_path / "password"), "--cookie", "lang=en")
    assert status == 0
    for site in sites:
        assert site.asked[-1][2]["Cookie"] == "lang=en; csrftoken=c0; sessionid=s3cr3t123"
    (tmp_path / "wrong").write_text("wrong")
    status, told = compare("/me/\n", *arguments, str(tmp_path / "wrong"))
    assert status == 2
    assert "did not let 'demo' in" in told


def test_a_password_goes_to_the_site_alone(sites: Pair, compare, tmp_path: Path):
    sites[0].say("/login/", LOGIN.replace("action=''", "action='https://elsewhere.test/'"))
    (tmp_path / "password").write_text("p")
    arguments = ["--user", "u", "--password-file", str(tmp_path / "password")]
    status, told = compare("/\n", "--login", "/login/", *arguments)
    assert status == 2
    assert "would send the password to https://elsewhere.test/" in told
    assert [method for method, _, _ in sites[0].asked] == ["GET"]


@pytest.mark.parametrize(
    ("text", "arguments", "complaint"),
    [
        ("/a\nPOST /b\n", [], "list:2: POST may change something; --unsafe-methods"),
        (
            "/a\nhttps://elsewhere.test/\n",
            [],
            "list:2: https://elsewhere.test/ is not of",
        ),
        ("/a b c\n", [], "list:1: must be '/path' or 'METHOD /path'"),
        ("/\n", ["--edge", "http://127.0.0.1:1"], "either --edge or --wsgi and --asgi"),
        ("/\n", ["--login", "/login/"], "--login needs --user and --password-file"),
        ("/\n", ["--login", "/login/", "--user", "u", "--password-file", "none"], "none: No such"),
        ("/\n", ["--ignore-pattern", "("], "'(' is no regular expression"),
        ("/\n", ["--rules", "none.yml"], "none.yml: No such file"),
    ],
)
def test_a_mistake_is_told_before_anything_is_sent(
    sites: Pair, compare, text: str, arguments: list[str], complaint: str
):
    status, told = compare(text, *arguments)
    assert status == 2
    assert complaint in told
    assert sites[0].asked == sites[1].asked == []


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--wsgi", "http://127.0.0.1:1"], "--wsgi and --asgi go together"),
        (["--edge", "http://127.0.0.1:1"], "through the edge each side must be forced"),
        (["--wsgi", "ftp://x", "--asgi", "http://x"], "ftp://x: must be http://host:port"),
        (["--wsgi", "http://x/path", "--asgi", "http://x"], "must be an address without path"),
        (["--limit", "0"], "'0' is not a number from 1 to 100000"),
        (["--header", "x"], "'x' is no header"),
    ],
)
def test_arguments_that_do_not_go_together_are_refused_in_a_sentence(
    arguments: list[str], complaint: str, tmp_path: Path
):
    done = subprocess.run(
        [sys.executable, "-m", "tandem", "compare", *arguments],
        cwd=ROOT, capture_output=True, text=True, input="/\n",
    )  # fmt: skip
    assert done.returncode == 2
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr


def test_other_methods_are_sent_when_told_so(sites: Pair, compare):
    both(sites, "/b/", "x")
    assert compare("POST /b/\n", "--unsafe-methods", "--repeat", "1")[0] == 0
    assert [(method, path) for method, path, _ in sites[1].asked] == [("POST", "/b/")]


def test_the_command_is_listed_with_what_it_does():
    done = subprocess.run(
        [sys.executable, "-m", "tandem"], cwd=ROOT, capture_output=True, text=True
    )
    assert "compare  Ask both upstreams for the same pages" in done.stdout
