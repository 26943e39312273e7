"""Git in folders of others: it reads their index, and nothing that could name a program.

A repository's configuration (``core.fsmonitor``, ``core.sshCommand``, filters, aliases,
``include.path`` …) and its hooks run programs, and no list of their keys stays complete.  So the
repository around a site is never opened: its index is copied into an empty one, made here.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from tandem.ops.adopt.findings import AdoptError
from tandem.ops.bounded.files import LOCK_BYTES, read_bytes, read_text

INDEX_BYTES = 10 * LOCK_BYTES
SECONDS = 300
# For where git does open a repository: one that it has made itself, of an address.
NEUTRAL = {
    "core.fsmonitor": "false",
    "core.hooksPath": "/dev/null",
    "fetch.recurseSubmodules": "false",
    "protocol.ext.allow": "never",
    "submodule.recurse": "false",
}
# Variables by which a git that runs this (a hook) would have it work elsewhere.
PLACES = (
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_NAMESPACE", "GIT_PREFIX",
    "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_EXEC_PATH", "GIT_TEMPLATE_DIR",
    "GIT_CONFIG", "GIT_CONFIG_COUNT", "GIT_CONFIG_PARAMETERS", "GIT_EXTERNAL_DIFF",
)  # fmt: skip


def run(
    *arguments: str, folder: Path | None = None, variables: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run git with what is neutral; return how it ended.

    Raises ``AdoptError`` where there is none, and where it does not end.
    """
    options = [word for key, value in NEUTRAL.items() for word in ("-c", f"{key}={value}")]
    kept = {name: value for name, value in os.environ.items() if name not in PLACES}
    try:
        return subprocess.run(
            ["git", "--no-optional-locks", *options, *arguments],
            cwd=folder, env={**kept, **(variables or {})}, stdin=subprocess.DEVNULL,
            capture_output=True, timeout=SECONDS,
        )  # fmt: skip
    except FileNotFoundError:
        raise AdoptError("there is no git here; on Debian: sudo apt-get install git") from None
    except subprocess.TimeoutExpired:
        raise AdoptError(f"git {arguments[0]} did not end within {SECONDS} s") from None


def reason(done: subprocess.CompletedProcess[bytes]) -> str:
    """Return why git failed, in its own words, without what a terminal would obey."""
    said = done.stderr.decode(errors="replace").strip().splitlines() or ["it said nothing"]
    line = next((line for line in said if line.startswith("fatal:")), said[-1])
    line = line.removeprefix("fatal:").strip()
    return "".join(character for character in line if character.isprintable())


def listed(folder: Path) -> list[Path] | None:
    """Return the files below ``folder`` that the repository around it knows or would take.

    ``None`` where there is no repository.  Raises ``AdoptError`` for an index that cannot be read.
    """
    folder = folder.resolve()
    top = next((one for one in (folder, *folder.parents) if (one / ".git").exists()), None)
    if top is None:
        return None
    try:
        index, excluded = _taken(top)
    except OSError as error:
        raise AdoptError(f"{error.filename}: {error.strerror}") from None
    for form in ("sha1", "sha256"):
        with tempfile.TemporaryDirectory(prefix="tandem-git-") as own:
            _make(Path(own), form, {**index, "info/exclude": excluded})
            done = run(
                "ls-files", "-z", "--cached", "--others", "--exclude-standard", ".",
                folder=folder, variables={"GIT_DIR": own, "GIT_WORK_TREE": str(top)},
            )  # fmt: skip
        if done.returncode == 0:
            names = map(os.fsdecode, filter(None, done.stdout.split(b"\0")))
            # A crafted index may name what is in .git.
            return [folder / name for name in names if ".git" not in Path(name).parts]
    raise AdoptError(f"git cannot read the index of {top}: {reason(done)}")


def _taken(top: Path) -> tuple[dict[str, bytes], bytes]:
    """Return what is read of the repository at ``top``: its index, and what it leaves out."""
    home = top / ".git"
    if home.is_file():  # of a submodule or another work tree
        home = top / read_text(home, limit=4096).removeprefix("gitdir:").strip()
    names = ["index", *(file.name for file in home.glob("sharedindex.*"))]
    there = [name for name in names if (home / name).exists()]
    index = {name: read_bytes(home / name, limit=INDEX_BYTES) for name in there}
    common = home
    if (home / "commondir").exists():
        common = home / read_text(home / "commondir", limit=4096).strip()
    exclude = common / "info/exclude"
    return index, read_bytes(exclude) if exclude.exists() else b""


def _make(folder: Path, form: str, files: dict[str, bytes]) -> None:
    """Make an empty repository, with ``files`` in it."""
    for name in ("objects", "refs", "info"):
        (folder / name).mkdir()
    (folder / "HEAD").write_text("ref: refs/heads/none\n")
    (folder / "config").write_text(
        f"[core]\nrepositoryformatversion = 1\n[extensions]\nobjectFormat = {form}\n"
    )
    for name, content in files.items():
        (folder / name).write_bytes(content)
