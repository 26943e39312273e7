"""A process that is asked is heard for some time, and to some length."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tandem.ops.adopt.model import Site
from tandem.ops.asking.container import bounded, environment, root
from tests.machine import HANG_SECONDS


@pytest.fixture
def start():
    """Give a function that starts Python code with pipes, and ends it afterwards."""
    processes: list[subprocess.Popen] = []

    def run(code: str) -> subprocess.Popen:
        command = [sys.executable, "-c", code]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        processes.append(process)
        return process

    yield run
    for process in processes:
        process.kill()
        process.communicate()


def test_what_is_said_is_heard_to_its_end(start):
    out, err, ended = bounded(
        start("import os; os.write(1, b'a' * 99); os.write(2, b'b')"), HANG_SECONDS
    )
    assert (out, err, ended) == (b"a" * 99, b"b", "")


@pytest.mark.parametrize(("pipe", "most"), [(1, "4 MB"), (2, "16 MB")])
def test_who_does_not_stop_printing_is_not_heard_any_more(start, pipe: int, most: str):
    out, err, ended = bounded(
        start(f"import os\nwhile True: os.write({pipe}, b'x' * 65536)"), HANG_SECONDS
    )
    assert ended == f"it prints more than {most}"
    assert len(out) <= 4_100_000
    assert len(err) <= 4_000


def test_who_does_not_end_is_not_waited_for(start):
    assert bounded(start("import time; time.sleep(600)"), 0.2)[2] == "it does not end within 0.2 s"


def test_the_site_gets_what_its_processes_get():
    site = Site(
        name="shop", settings="shop.settings", root="src", python_path=("src", "lib"),
        environment={"HUE": "red", "LANG": "de_DE.UTF-8"}, secrets=("KEY",),
    )  # fmt: skip
    given = environment(site)
    assert given["PYTHONPATH"].split(":")[1:] == [
        f"{root(site).removesuffix('/src')}/{name}" for name in ("src", "src", "lib")
    ]
    assert given["HUE"] == "red"
    assert given["LANG"] == "de_DE.UTF-8"
    assert given["SITE_SETTINGS"] == "shop.settings"
    assert given["SITE_SECRETS"] == "KEY"
    assert "KEY" not in given
