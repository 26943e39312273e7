"""``tandem compare`` through the edge, as docs/compare.md has it: word for word."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.checkout import ROOT
from tests.pages import blocks
from tests.replica.routes import CHEAP, logged
from tests.stack import Stack, wait_for

LOGIN = "/accounts/login/"
(EDGE,) = [
    part for part in blocks("docs/compare.md")[0].split("\n\n") if "Through the edge" in part
]
FROM_LIST, TOKENS, FROM_LOG = [line for line in EDGE.splitlines() if not line.startswith("#")]


def shell(stack: Stack, *lines: str) -> subprocess.CompletedProcess[str]:
    """Run lines of the page in the checkout, where the page's host is the replica."""
    path = f"{ROOT}/.venv/bin:{os.environ['PATH']}"
    script = "\n".join(lines).replace("https://example.org", stack.origin)
    return stack.run("bash", "-c", script, check=False, PATH=path)


def answered(stack: Stack, since: float, path: str) -> Counter[tuple[str, str]]:
    """Return how often which side was forced, and which answered, by the edge's log."""
    return Counter(
        (entry["forced"], entry["upstream"].partition("@")[0])
        for entry in logged(stack, since, path)
    )


def test_the_pages_own_list_reaches_both_sides_and_ends_with_0(stack: Stack):
    began = time.time()
    done = shell(stack, FROM_LIST)  # whose tokens it finds by itself
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 compared: 1 same" in done.stdout
    expected = {("wsgi", "wsgi"): 3, ("asgi", "asgi"): 3}
    wait_for(lambda: answered(stack, began, "/api/feed/").total() == 6)
    assert answered(stack, began, "/api/feed/") == expected


def test_the_pages_own_log_reaches_both_sides_and_ends_with_0(stack: Stack, tmp_path: Path):
    """The log is the edge's own, and both the pages and the health of the site are in it."""
    began = time.time()
    with stack.client() as client:
        for path in ("/", LOGIN, CHEAP):
            client.get(path)
    wait_for(lambda: all(logged(stack, began, path) for path in ("/", LOGIN, CHEAP)))
    entries = [entry for path in ("/", LOGIN, CHEAP) for entry in logged(stack, began, path)]
    log = tmp_path / "tandem.json"
    log.write_text("".join(f"{json.dumps(entry)}\n" for entry in entries))
    assert "/var/log/nginx/tandem.json" in FROM_LOG
    began = time.time()
    done = shell(stack, TOKENS, FROM_LOG.replace("/var/log/nginx/tandem.json", str(log)))
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    for path in ("/", LOGIN):
        wait_for(lambda path=path: answered(stack, began, path).total() >= 6)
        assert answered(stack, began, path) == {("wsgi", "wsgi"): 3, ("asgi", "asgi"): 3}


def test_what_differs_is_shown_with_1(stack: Stack, tmp_path: Path):
    """Each page says at its foot which worker served it; here that is not overlooked."""
    rules = tmp_path / "rules.yml"
    rules.write_text("ignore-headers: []\n")
    done = shell(stack, TOKENS, f"echo / | tandem compare --repeat 1 --rules {rules}")
    assert (done.returncode, done.stderr) == (1, "")
    assert re.search(r"^ *-.*served by wsgi@\d", done.stdout, re.MULTILINE)
    assert re.search(r"^ *\+.*served by asgi@\d", done.stdout, re.MULTILINE)
    assert "1 compared: 1 different" in done.stdout


def test_what_nginx_answers_itself_is_left_out_with_2(stack: Stack):
    done = shell(stack, TOKENS, "echo /ws/echo/ | tandem compare")
    assert (done.returncode, done.stderr) == (2, "")
    assert "not compared: what nginx answers itself" in done.stdout


def test_a_route_that_cannot_be_forced_is_undecided_with_2(stack: Stack):
    done = shell(stack, TOKENS, "echo /events/ticker/ | tandem compare")
    assert (done.returncode, done.stderr) == (2, "")
    assert "asked for wsgi, but asgi answered" in done.stdout


@pytest.mark.parametrize("side", ["wsgi", "asgi"])
def test_a_token_of_another_site_is_told_with_3_before_a_page_is_asked_for(stack: Stack, side: str):
    began = time.time()
    name = f"TANDEM_FORCE_TOKEN_{side.upper()}"
    wrong = f"export {name}={side}.{'0' * 32}"
    done = shell(stack, TOKENS, wrong, "echo /wrong/ | tandem compare")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == (
        f"tandem compare: {stack.origin} does not know the token for {side};"
        " 'tandem routes force' prints those of a site\n"
    )
    assert not logged(stack, began, "/wrong/")
