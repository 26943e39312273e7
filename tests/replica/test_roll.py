"""``make roll`` and ``make up`` with new code, while users are at it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tandem.facts import KINDS
from tests.load.drains import followed
from tests.load.run import during, nobody_noticed, sockets_moved_in_turn
from tests.replica.traffic import site
from tests.stack import Stack, copy_of_checkout


@pytest.fixture
def _release_of_the_others(stack: Stack) -> Iterator[None]:
    yield
    stack.up()


@pytest.mark.alone  # under load
@pytest.mark.usefixtures("_release_of_the_others")
def test_a_roll_is_noticed_by_nobody_and_up_changes_nothing_after_it(stack: Stack):
    names = [f"{kind}-{n}" for kind in KINDS for n in (1, 2)]
    before = {stack.inspect(name)["Id"] for name in names}
    nginx = stack.inspect("nginx-1")["Id"]
    with followed(stack) as log:
        report = during(lambda: stack.run("make", "roll", TANDEM_RELEASE="rolled"), site(stack))
        told = log()
    after = {stack.inspect(name)["Id"] for name in names}
    assert before.isdisjoint(after)
    assert stack.inspect("nginx-1")["Id"] == nginx
    with stack.client() as client:
        assert client.get("/health/wsgi/ready/").headers["X-Release"] == "rolled"
    nobody_noticed(report)
    sockets_moved_in_turn(report, told)
    stack.up(TANDEM_RELEASE="rolled")
    assert {stack.inspect(name)["Id"] for name in names} == after


@pytest.mark.parametrize(
    ("file", "old", "new", "sentence"),
    [
        (
            "app/config/wsgi.py", "import os\n",
            "import os, sys, threading\nif 'gunicorn' in sys.argv[0]:\n"
            "    threading.Timer(3, os.killpg, [os.getpgrp(), 9]).start()\n",
            "the new release does not work on wsgi",
        ),
        (
            "tandem/health/checks.py", "    failed = failures()\n",
            "    import time; time.sleep(4)\n    failed = failures()\n",
            "s to answer on /health/ready/",
        ),
    ],
)  # fmt: skip
def test_a_release_that_fails_later_is_stopped_and_noticed_by_nobody(
    stack: Stack, tmp_path: Path, file: str, old: str, new: str, sentence: str
):
    before = stack.inspect("wsgi-1")["Id"]
    printed: list[subprocess.CompletedProcess[str]] = []
    with copy_of_checkout(tmp_path / "checkout") as root, stack.same_images():
        text = (root / file).read_text()
        assert old in text
        (root / file).write_text(text.replace(old, new, 1))
        report = during(lambda: printed.append(Stack(root).up(check=False)), site(stack), 50, 20)
    assert printed[0].returncode != 0
    assert sentence in printed[0].stderr, json.dumps(printed[0].stderr)
    assert "What ran before is still running" in printed[0].stderr
    assert stack.inspect("wsgi-1")["Id"] == before
    nobody_noticed(report)
