"""A site's source in a git repository: ``git+https://host/shop.git@REVISION``."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from tandem.ops.adopt import git
from tandem.ops.adopt.findings import AdoptError

PREFIX = "git+"
URL = r"(?:https?|ssh|git|file)://[^\s'\"]+"
USERINFO = r"[a-z]+://[^/@]*:[^/@]*@"
REVISION = r"[A-Za-z0-9][A-Za-z0-9._/+-]*"  # a commit, a tag or a branch
SOURCE = rf"git\+({URL})@({REVISION})"
COMMIT = r"[0-9a-f]{40}"


@dataclass(frozen=True)
class Repository:
    """Where the source is, and which state of it is meant."""

    url: str
    revision: str

    def __str__(self) -> str:
        return f"{PREFIX}{self.url}@{self.revision}"

    @property
    def name(self) -> str:
        """Return what the repository is called: ``shop``."""
        return self.url.rstrip("/").rpartition("/")[2].removesuffix(".git")


def is_url(text: str) -> bool:
    """Return whether ``text`` is the address of a repository, and not a folder."""
    return re.fullmatch(rf"(?:git\+)?{URL}", text) is not None


def parse(source: str) -> Repository | None:
    """Return the repository that a site's ``source`` names; ``None`` for a folder.

    Raises ``ValueError``, with what is wrong, for what begins like one and is none.
    """
    if not source.startswith(PREFIX):
        return None
    match = re.fullmatch(SOURCE, source)
    if match is None:
        raise ValueError(
            "must name an address and a commit, tag or branch, as in"
            f" git+https://host/shop.git@v1.2, got {source!r}"
        )
    url = match[1]
    if re.match(USERINFO, url):
        raise ValueError("has a password; keep it out of the file, git has credential helpers")
    return Repository(url, match[2])


def fetch(repository: Repository, cache: Path) -> tuple[Path, str]:
    """Return a folder in ``cache`` with the source, and the commit that it is.

    A commit that was fetched before needs no network.  Raises ``AdoptError`` with what git says.
    """
    digest = hashlib.sha256(repository.url.encode()).hexdigest()[:8]
    folder = cache / f"{repository.name}-{digest}"
    wanted = repository.revision
    if not (folder / ".git").exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        _git(repository.url, "clone", "--quiet", "--no-checkout", "--", repository.url, str(folder))
    elif not (re.fullmatch(COMMIT, wanted) and _commit(folder, wanted)):
        fetch_all = ("fetch", "--quiet", "--prune", "--tags", "--force", "origin")
        _git(repository.url, *fetch_all, folder=folder)
    # A branch is what the repository has, not what was once checked out here.
    commit = _commit(folder, f"origin/{wanted}") or _commit(folder, wanted)
    if not commit:
        raise AdoptError(f"{repository.url} has no commit, tag or branch {wanted}")
    _git(repository.url, "checkout", "--quiet", "--force", "--detach", commit, folder=folder)
    _git(repository.url, "clean", "--quiet", "-ffdx", folder=folder)
    return folder, commit


def _commit(folder: Path, name: str) -> str:
    """Return the commit that ``name`` stands for, or nothing."""
    verify = ["rev-parse", "--quiet", "--verify", "--end-of-options", f"{name}^{{commit}}"]
    return git.run(*verify, folder=folder).stdout.decode().strip()


def _git(url: str, *arguments: str, folder: Path | None = None) -> None:
    # A question would wait for ever where nobody sees it.
    silent = {"GIT_SSH_COMMAND": "ssh -o BatchMode=yes"} | os.environ | {"GIT_TERMINAL_PROMPT": "0"}
    silent["GIT_ALLOW_PROTOCOL"] = "https:http:ssh:git:file"  # ext: would be a command
    done = git.run(*arguments, folder=folder, variables=silent)
    if done.returncode:
        raise AdoptError(f"git cannot get {url}: {git.reason(done)}")
