"""Releases that do not work: each is stopped, and nobody notices."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.load.run import during, nobody_noticed
from tests.servers import releases
from tests.servers.rehearsal import HANG_SECONDS, Rehearsal

pytestmark = pytest.mark.timeout(2 * HANG_SECONDS)
HOST = "trixie"
# In a file of the release: what is replaced by what.
UNLOADABLE = ("app/config/asgi.py", "import os\n", "import os\nimport no_such\n")
MIGRATION = """from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("uploads", "0001_initial")]
    operations = [migrations.RunSQL("SELECT no_such")]
"""
SENTENCES = {
    "it was damaged on the way": "manage.py: FAILED",
    "it cannot be loaded": "No module named 'no_such'",
    "a migration fails": "every instance runs the release of before",
}
# Found by watching what has been loaded, which is one command on the server.
WATCHED = {
    "it dies soon after the start": (
        "app/config/wsgi.py", "import os\n",
        "import os, sys, threading\nif 'gunicorn' in sys.argv[0]:\n"
        "    threading.Timer(3, os.killpg, [os.getpgrp(), 9]).start()\n",
        "does not work as wsgi@trial",
    ),
    "it is slow to say how it is": (
        "tandem/health/checks.py", "    failed = failures()\n",
        "    import time; time.sleep(4)\n    failed = failures()\n",
        "s to answer on /health/ready/",
    ),
}  # fmt: skip


def broken(source: str, fault: str) -> str:
    """Make a release that has ``fault``; return its name."""
    name = "broken-" + fault.replace(" ", "-")

    def change(folder: Path) -> None:
        if fault == "a migration fails":
            (folder / "site/app/uploads/migrations/0099_broken.py").write_text(MIGRATION)
            manifest = json.loads((folder / "manifest.json").read_text())
            manifest["migrations"]["uploads.0099_broken"] = []
            (folder / "manifest.json").write_text(json.dumps(manifest))
            return
        file, old, new = UNLOADABLE
        text = (folder / "site" / file).read_text()
        assert old in text
        (folder / "site" / file).write_text(text.replace(old, new, 1))

    if fault == "it was damaged on the way":
        return releases.damaged(source, name)
    return releases.derived(source, name, change)


@pytest.fixture(scope="module")
def refused(single: Rehearsal, release: str) -> dict[str, Any]:
    """Deploy all of them under one load; give what was said, what ran, and the report."""
    names = {fault: broken(release, fault) for fault in SENTENCES}
    found: dict[str, Any] = {"before": single.instances(HOST), "said": {}, "ran": {}}

    def event() -> None:
        for fault, name in names.items():
            printed = single.play("deploy.yml", "-e", f"release={name}", check=False)
            found["said"][fault] = " ".join(printed.split())
            found["ran"][fault] = single.instances(HOST)

    try:
        found["report"] = during(event, single.site(HOST), rate=20, sockets=20)
    finally:
        for name in names.values():
            releases.archive(name).unlink()
    return found


@pytest.mark.parametrize("fault", SENTENCES)
def test_a_broken_release_is_stopped(refused: dict[str, Any], fault: str):
    assert SENTENCES[fault] in refused["said"][fault]
    assert refused["ran"][fault] == refused["before"]


@pytest.mark.parametrize("fault", WATCHED)
def test_a_release_that_fails_when_watched_is_tried_in_vain(single: Rehearsal, fault: str):
    file, old, new, sentence = WATCHED[fault]
    before = single.instances(HOST)
    source = f"/srv/tandem/releases/{before['wsgi@1']}"
    changed = "/srv/tandem/releases/broken-watched"
    text = single.execute(HOST, f"cat {source}/site/{file}") + "\n"
    assert old in text
    wrong = shlex.quote(text.replace(old, new, 1))
    single.execute(
        HOST,
        f"cp -al {source} {changed} && rm {changed}/site/{file}"
        f" && printf %s {wrong} >{changed}/site/{file}",
    )
    try:
        command = f"/usr/local/lib/tandem/instance.py try {changed} wsgi asgi"
        tried = single.execute(HOST, f"{command} 2>&1; echo exited $?")
    finally:
        single.execute(HOST, f"rm -r {changed}")
    assert sentence in tried
    assert tried.endswith("exited 1")
    assert single.instances(HOST) == before


def test_broken_releases_are_noticed_by_nobody(refused: dict[str, Any]):
    nobody_noticed(refused["report"])
    assert refused["report"]["closes"] == {}


def test_a_damaged_release_never_counts_as_one(single: Rehearsal, refused: dict[str, Any]):
    kept = single.execute(HOST, "ls -d /srv/tandem/releases/*/.complete")
    assert "damaged" not in kept
    assert "loaded" in kept or "migration" in kept  # those came whole


def test_the_server_keeps_a_record_of_how_each_ended(single: Rehearsal, refused: dict[str, Any]):
    lines = single.execute(HOST, "cat /var/log/tandem/deploys.jsonl").splitlines()
    entries = [json.loads(line) for line in lines]
    assert {"at", "by", "release", "before", "seconds", "result"} == set(entries[0])
    ended = {entry["release"]: entry["result"] for entry in entries}
    assert ended["broken-it-cannot-be-loaded"] == "failed when tried"
    assert ended["broken-a-migration-fails"] == "migration failed"
    assert {entry["before"] for entry in entries if "broken" in entry["release"]} == set(
        refused["before"].values()
    )
