"""docs/migrate.md, walked: its commands and files, from the page, in its order, on the replica."""

from __future__ import annotations

import asyncio
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus

from tests.checkout import ROOT
from tests.machine import HANG_SECONDS
from tests.own import owned
from tests.sites.adopted import AdoptedStack
from tests.sites.walk import ELSEWHERE, Code, shop, steps
from tests.stack import copy_of_checkout, wait_for

pytestmark = pytest.mark.timeout(8 * HANG_SECONDS)
# Of the hundred groups of clients: one of each part of a canary of 1, 10 and 100 per cent.
GROUPS = ("00", "05", "50")
EVERYBODY = {side: (side,) * len(GROUPS) for side in ("wsgi", "asgi")}
ONE, TEN = ("asgi", "wsgi", "wsgi"), ("asgi", "asgi", "wsgi")


@dataclass(frozen=True)
class Then:
    """What is so after a command, by the page."""

    front: tuple[str, ...] = EVERYBODY["wsgi"]  # who answers which of GROUPS
    feed: tuple[str, ...] = EVERYBODY["wsgi"]
    socket: str = "asgi"  # who holds it; empty: there is none
    said: str = ""
    status: tuple[int, ...] = (0,)  # of the command, one of these


# A command, which time it comes, and what is so then.
AFTER = {
    ("make up", 1): Then(socket=""),
    ("make check", 1): Then(socket=""),
    ("make up", 2): Then(),
    ("tandem routes move /feed/ --to wsgi --mirror on", 1): Then(said="--mirror on: in force"),
    ("tandem compare --limit 500 paths.txt", 1): Then(said="2 compared: 2 same"),
    ("tandem routes report --route /feed/", 1): Then(said="/feed/"),
    ("tandem routes rollback", 1): Then(),
    ("tandem routes move /feed/ --to asgi --share 1", 1): Then(feed=ONE),
    # A verdict on a handful of requests, whichever: tests/unit/ops/report/test_gate.py has those.
    ("tandem routes report --route /feed/ --gate", 1): Then(status=(0, 1, 2), feed=ONE),
    ("tandem routes move /feed/ --to asgi --share 10", 1): Then(feed=TEN),
    ("tandem routes rollback", 2): Then(feed=ONE),
    ("tandem routes move /feed/ --to asgi", 1): Then(feed=EVERYBODY["asgi"]),
    ("tandem routes move / --to asgi --share 10", 1): Then(front=TEN, feed=EVERYBODY["asgi"]),
    ("tandem routes move / --to asgi", 1): Then(front=EVERYBODY["asgi"], feed=EVERYBODY["asgi"]),
    ("WSGI_INSTANCES=0 make up", 1): Then(front=EVERYBODY["asgi"], feed=EVERYBODY["asgi"]),
    ("make up", 3): Then(front=EVERYBODY["asgi"], feed=EVERYBODY["asgi"]),
    ("tandem routes move / --to wsgi", 1): Then(feed=EVERYBODY["asgi"]),
    ("tandem routes move /feed/ --to wsgi", 1): Then(),
    ("tandem routes apply", 1): Then(socket=""),
    ("ASGI_INSTANCES=0 make up", 1): Then(socket=""),
}


class Walk(AdoptedStack):
    """The shop's replica, brought up by commands as its owner types them, in one shell."""

    what = "walk"

    def __init__(self, root: Path) -> None:
        super().__init__(root.parent / "shop")
        self.root = root
        self.state = root.parent / "exported"  # what the shell knows
        self.state.write_text("")
        own = {"SITE", "NOTIFY_INSTANCES"}  # the page sets the one, and needs not the other
        self.beginning = {k: v for k, v in self.env().items() if k not in own}

    def type(self, command: str) -> subprocess.CompletedProcess[str]:
        """Type a command of the page."""
        # tests/sites/test_asked.py has sites asked: a second image would cost a minute.
        command = command.replace("tandem adopt", "tandem adopt --files-only")
        # What is set for one command is no export.
        script = f". {self.state}\n{command}\nstatus=$?; export -p >{self.state}; exit $status"
        return subprocess.run(
            ["bash", "-c", script], cwd=self.root, env=self.beginning, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=4 * HANG_SECONDS,
        )  # fmt: skip

    def put(self, code: Code) -> None:
        """Write a file of the page, or append to it, as the page says."""
        file = self.folder / code.file
        file.write_text((file.read_text() if code.appended else "") + code.text)

    def serves(self, path: str) -> tuple[str, ...]:
        """Return who answers a page, for one client of each of GROUPS."""
        found = []
        for group in GROUPS:
            with self.client() as client:
                answer = client.get(path, headers={"Cookie": f"tandem_canary={group}"})
            assert answer.status_code == 200, answer.text
            found.append(answer.headers["X-Upstream"].partition("@")[0])
        return tuple(found)

    def holds(self) -> str:
        """Return who holds the page's socket, after it has answered; empty: nobody."""

        async def ask() -> str:
            try:
                async with self.socket("/ws/stock/") as socket:
                    await socket.send("tea")
                    assert await socket.recv() == '{"article": "tea", "left": 3}'
                    assert socket.response
                    return socket.response.headers["X-Upstream"].partition("@")[0]
            except InvalidStatus:
                return ""

        return asyncio.run(ask())

    def instances(self, kind: str) -> list[str]:
        """Return the containers of a kind that run."""
        listed = self.compose("ps", "--format", "{{.Name}}").split()
        return [name for name in listed if name.startswith(self.container(kind))]


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    with copy_of_checkout(tmp_path_factory.mktemp("walk") / "tandem") as root:
        (root / ".venv").symlink_to(ROOT / ".venv")  # `make tools` finds it as it is made
        (root / "paths.txt").write_text("/\n/feed/\n")  # step 0 of the page
        stack = Walk(root)
        shop(stack.folder)
        with owned(stack):
            yield stack


def without_sockets(file: Path) -> None:
    """Take the routes of sockets out, as the page says in a sentence."""
    text = file.read_text()
    fewer = re.sub(r"\n*- path: /ws/\n(  .*\n)+", "\n", text)
    assert fewer != text
    file.write_text(fewer)


def test_each_command_of_the_page_does_what_it_says(walk: Walk):
    came: Counter[str] = Counter()
    for step in steps():
        if isinstance(step, Code):
            walk.put(step)
            continue
        if step in ELSEWHERE:
            continue
        if step == "tandem routes apply":
            without_sockets(walk.folder / "routes.yml")
        came[step] += 1
        done = walk.type(step)
        then = AFTER.get((step, came[step]))
        expected = then.status if then else (0,)
        assert done.returncode in expected, f"{step}:\n{done.stdout}"
        if then:
            assert then.said in done.stdout, step
            assert walk.serves("/") == then.front, step
            assert walk.serves("/feed/") == then.feed, step
            assert walk.holds() == then.socket, step
        if "--mirror on" in step:
            wait_for(lambda: '"shadow":"asgi"' in walk.logs("nginx"))
        for kind in ("WSGI", "ASGI"):
            if f"{kind}_INSTANCES=0" in step:
                assert not walk.instances(kind.lower())
    assert set(AFTER) <= {(step, n + 1) for step, times in came.items() for n in range(times)}
