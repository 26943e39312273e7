"""Archives of releases: built once for what is in the checkout, and others made of those."""

from __future__ import annotations

import hashlib
import json
import subprocess
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.checkout import ROOT
from tests.machine import locked
from tests.servers.copies import digest
from tests.servers.rehearsal import RELEASES

DEBIANS = ("trixie", "bookworm")
# What an archive is made of.
SOURCES = (
    "app", "tandem", "deploy", "requirements.lock", "docker/Dockerfile",
    "docker/links.py", "docker/pack.sh", "docker/prepare.sh", "docker/wheels.sh",
)  # fmt: skip


def archive(release: str, debian: str = "trixie") -> Path:
    """Return the file of a release."""
    return RELEASES / f"tandem-{release}-{debian}.tar.gz"


def built() -> str:
    """Return the name of this checkout's release; ``make release`` builds what is missing."""
    name = f"test-{digest(*SOURCES)[:8]}"
    RELEASES.mkdir(parents=True, exist_ok=True)
    with locked(RELEASES / "lock"):
        if not all(archive(name, debian).exists() for debian in DEBIANS):
            for other in RELEASES.glob("*.tar.gz"):
                other.unlink()
            _build(name)
        (RELEASES / "release").write_text(f"{name}\n")  # installed unless told otherwise
    return name


def _build(name: str) -> None:
    """Build the archives, and leave ``dist/`` as it was."""
    newest = ROOT / "dist" / "release"
    before = newest.read_text() if newest.exists() else None
    done = subprocess.run(
        ["make", "release", f"RELEASE={name}"], cwd=ROOT, text=True, capture_output=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for debian in DEBIANS:
        file = archive(name, debian)
        (ROOT / "dist" / file.name).replace(file)
    if before is None:
        newest.unlink()
    else:
        newest.write_text(before)


def derived(source: str, name: str, change: Callable[[Path], None], debian: str = "trixie") -> str:
    """Make the release ``name`` of another one, as if ``change`` were part of its source.

    Like ``docker/pack.sh``: the manifest says the name, and every file has its hash.
    """
    with (
        tempfile.TemporaryDirectory() as temporary,
        tarfile.open(archive(source, debian)) as packed,
    ):
        folder = Path(temporary)
        packed.extractall(folder, filter="tar")
        manifest = folder / "manifest.json"
        manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"release": name}))
        change(folder)
        _pack(folder, archive(name, debian))
    return name


def _pack(folder: Path, target: Path) -> None:
    files = sorted(f for f in folder.rglob("*") if f.is_file() and f.name != "SHA256SUMS")
    sums = [
        f"{hashlib.sha256(f.read_bytes()).hexdigest()}  ./{f.relative_to(folder)}" for f in files
    ]
    (folder / "SHA256SUMS").write_text("\n".join(sums) + "\n")
    repack(folder, target)


def repack(folder: Path, target: Path) -> None:
    """Write the files of a folder into an archive, as they are."""

    def roots(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        return entry

    with tarfile.open(target, "w:gz", compresslevel=1) as packed:
        packed.add(folder, ".", filter=roots)


def following(source: str) -> str:
    """Make the next release, of the same source, for both Debians; return its name."""
    name = source.replace("test-", "next-")
    for debian in DEBIANS:
        with locked(RELEASES / "lock"):
            if not archive(name, debian).exists():
                derived(source, name, lambda folder: None, debian)
    return name


def damaged(source: str, name: str, debian: str = "trixie") -> str:
    """Make the release ``name``, one file of which is not what its hash says."""
    derived(source, name, lambda folder: None, debian)
    with tempfile.TemporaryDirectory() as temporary, tarfile.open(archive(name, debian)) as packed:
        folder = Path(temporary)
        packed.extractall(folder, filter="tar")
        with (folder / "site/app/manage.py").open("a") as file:
            file.write("# not what was built\n")
        repack(folder, archive(name, debian))
    return name
