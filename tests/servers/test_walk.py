"""docs/servers.md and docs/deploy.md, walked command by command, from the pages themselves."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.checkout import ROOT
from tests.pages import blocks, commands
from tests.servers.rehearsal import HANG_SECONDS, Rehearsal

pytestmark = pytest.mark.timeout(4 * HANG_SECONDS)
HOST = "trixie"
MINE = ROOT / "ansible/inventories/mine"
# What a test cannot do as it is written, and what does the same.
INSTEAD = {
    # The rehearsal has noted its servers' keys, where this user's are not to be changed.
    "ssh-keyscan 192.0.2.10 >>~/.ssh/known_hosts": "true",
    # Whoever edits it names a server that is there.
    "$EDITOR ansible/inventories/mine/hosts.yml": "cp {inventory} ansible/inventories/mine/",
}
# Run by every test of this layer: how it boots, keeps, copies and removes its servers.
ELSEWHERE = ("make release && make servers && make provision", "make servers-keep COPY=")


@pytest.fixture
def walk(single: Rehearsal, tmp_path: Path) -> Iterator[list[str]]:
    """Give the commands of both pages, in order; put everything back after them."""
    listed = single.run(
        ".venv/bin/ansible-inventory", "--inventory", str(single.topology),
        "--inventory", str(single.state / "inventory.yml"), "--list", "--yaml",
    )  # fmt: skip
    (tmp_path / "hosts.yml").write_text(listed.stdout)
    assert not MINE.exists(), f"{MINE} is somebody's; move it away"
    newest = ROOT / "dist/release"
    before = newest.read_text() if newest.exists() else None
    yield [
        INSTEAD.get(command, command).format(inventory=tmp_path / "hosts.yml")
        for page in ("docs/servers.md", "docs/deploy.md")
        for block in blocks(page)
        if not block.startswith(ELSEWHERE)
        for command in commands(block)
    ]
    shutil.rmtree(MINE, ignore_errors=True)
    newest.unlink(missing_ok=True)
    if before is not None:
        newest.write_text(before)


def test_the_way_from_a_server_to_a_deploy_and_back_is_as_documented(
    single: Rehearsal, walk: list[str]
):
    assert {"make provision", "make verify", "make deploy", "make rollback"} <= {
        " ".join(command.split()[:2]) for command in walk
    }
    before = single.instances(HOST)["wsgi@1"]
    environment = single.environment | {"INVENTORY": "ansible/inventories/mine/hosts.yml"}
    ran = {}
    for command in walk:
        done = subprocess.run(
            ["bash", "-c", command], cwd=ROOT, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=HANG_SECONDS,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout[-6000:]}"
        ran[command] = set(single.instances(HOST).values())
    made = (ROOT / "dist/release").read_text().strip()
    assert ran["make provision INVENTORY=ansible/inventories/mine/hosts.yml"] == {made}
    assert ran["make deploy"] == {made}
    assert ran["make rollback"] == {before}
