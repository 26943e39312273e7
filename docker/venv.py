"""Make or complete ``.venv``: ``docker/venv.sh`` runs this where something is missing there.

Two may run at the same time; what an interrupted one has left is made anew.
"""

from __future__ import annotations

import fcntl
import filecmp
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn

LOCK, LOG = Path("requirements-dev.lock"), Path(".cache/venv.log")
VENV = Path(".venv")
MADE, HELD, UNFINISHED = (VENV / name for name in (".lock", ".groups", ".unfinished"))
PYTHON = VENV / "bin/python"
UNREACHED = re.compile(r"Failed to fetch|Retrying \(|Could not fetch")
REASON = re.compile(r"^ *(?:Caused by|cause): (.*)|.*connection broken by '(.*)'", re.MULTILINE)


def say(sentence: str) -> None:
    """Tell a person."""
    print(f"tandem: {sentence}", file=sys.stderr, flush=True)


def die(sentence: str) -> NoReturn:
    """End with a sentence."""
    say(sentence)
    sys.exit(1)


def held() -> set[str]:
    """Return the groups that are installed."""
    return set(HELD.read_text().split()) if HELD.exists() else set()


def ready(groups: set[str]) -> bool:
    """Tell whether all is there."""
    same = MADE.exists() and filecmp.cmp(LOCK, MADE, shallow=False)
    return same and PYTHON.exists() and groups <= held()


def works() -> bool:
    """Tell whether what is there can be completed."""
    if UNFINISHED.exists() or not MADE.exists():
        return False  # what an interrupted run has left is not to be trusted
    try:
        return subprocess.run([PYTHON, "-c", ""], stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False  # its Python has gone


def fetch(*command: str | Path) -> None:
    """Run a command, keep what it says, show what it downloads; else end with the reason."""
    with (
        LOG.open("w") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as
        process,
    ):  # fmt: skip
        assert process.stdout is not None  # noqa: S101
        for line in process.stdout:
            log.write(line)
            if line.startswith("Downloading"):
                sys.stderr.write(line)
    if process.returncode == 0:
        return
    said = LOG.read_text()
    if not UNREACHED.search(said):
        print("\n".join(said.splitlines()[-8:]), file=sys.stderr)
        die(f"installing the packages of {LOCK} failed; the reason is above.")
    if MADE.exists():
        UNFINISHED.unlink(missing_ok=True)  # all is fetched before the first is installed
    reasons = [one or other for one, other in REASON.findall(said)]
    reason = reasons[-1] if reasons else f"see {LOG}"
    die(
        f"the package index does not give the packages ({reason}); check the network, and the"
        " index-url, proxy and cert of pip ('python3 -m pip config list')."
    )


def create() -> None:
    """Make an environment that has uv, which installs the others."""
    subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)
    uv = re.search(r"^uv==.*\n(?:[ #].*\n)*", LOCK.read_text(), re.MULTILINE)
    (VENV / ".uv").write_text(uv[0] if uv else "")
    fetch(
        VENV / "bin/pip", "install", "--quiet", "--retries", "2", "--require-hashes", "--no-deps",
        "--only-binary", ":all:", "-r", VENV / ".uv",
    )  # fmt: skip


def install(groups: set[str]) -> None:
    """Install these groups, and no more."""
    UNFINISHED.touch()
    # The lock is a constraint: pyproject.toml says what, the lock which, and with which hashes.
    fetch(
        PYTHON, "docker/uv.py", "pip", "install", "--python", VENV, "--exact", "--require-hashes",
        "--only-binary", ":all:", "--constraints", LOCK, "--requirements", "pyproject.toml",
        "--all-extras", *(f"--group={group}" for group in sorted(groups)),
    )  # fmt: skip
    # Half of Python's start is saved; of Ansible's collections hardly a file is ever imported.
    compiling = ["-m", "compileall", "-qq", "-j", "0", "-x", "ansible_collections", VENV / "lib"]
    subprocess.run([PYTHON, *compiling])  # an example of wrong syntax is no fault
    shutil.copy("docker/tandem.sh", VENV / "bin/tandem")
    HELD.write_text("".join(f"{group}\n" for group in sorted(groups)))
    shutil.copyfile(LOCK, MADE)
    UNFINISHED.unlink()


def main() -> None:
    """Do what the command line says."""
    groups = {"site", *sys.argv[1:]}
    LOG.parent.mkdir(exist_ok=True)
    with Path(".cache/venv.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another command, which makes .venv.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        if ready(groups):
            return
        began = time.monotonic()
        say(f"installing the packages of {' '.join(sorted(groups))} into .venv.")
        if not works():
            create()
        install(groups | held())
        say(f".venv is ready ({time.monotonic() - began:.0f} s).")


if __name__ == "__main__":
    main()
