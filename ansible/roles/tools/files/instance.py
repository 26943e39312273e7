#!/usr/bin/env python3
"""Put a release to work on this server, one instance at a time.

instance.py try RELEASE KIND...   run an instance of each kind that nobody is sent to
instance.py roll RELEASE NAME     let the instance (asgi@1) run the release
instance.py ready NAME...         wait until all of them are ready
instance.py list                  what each instance runs, as JSON

RELEASE is a folder, say /srv/tandem/releases/abc.  Exits 1 with a sentence and the last
lines of the log when the release does not work; the instance then runs the old one again.

Each call does its whole step on the server, whatever becomes of whoever asked for it.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

INSTANCES = Path("/srv/tandem/instances")
SOCKETS = Path("/run/tandem")
LOCK = Path("/run/tandem-instances.lock")
LOG_LINES = "15"
WATCH_SECONDS = "5"
READY_SECONDS = "30"
# The site's own processes (process@worker) are asked nothing: they listen nowhere.
PROCESS = "process@"


def systemctl(*arguments: str, check: bool = False) -> str:
    """Run systemctl; return what it prints.  With ``check`` raises ``CalledProcessError``."""
    return subprocess.run(
        ["systemctl", *arguments], check=check, capture_output=True, text=True
    ).stdout.strip()


def main_pid(name: str) -> str:
    """Return the main process of an instance; "0": it does not run."""
    return systemctl("show", "--property=MainPID", "--value", f"{name}.service")


def environment(name: str) -> dict[str, str]:
    """Return the environment of the running process of an instance; empty: it does not run."""
    try:
        text = Path(f"/proc/{main_pid(name)}/environ").read_text()
    except OSError:
        return {}
    return dict(pair.split("=", 1) for pair in text.split("\0") if "=" in pair)


def serving(name: str) -> str:
    """Return the release that the running process is of; empty: it does not run."""
    return environment(name).get("TANDEM_RELEASE", "")


def link(name: str, release: Path | None) -> None:
    """Choose what the next start of ``name`` runs."""
    path, fresh = INSTANCES / name, INSTANCES / f".{name}.new"
    INSTANCES.mkdir(mode=0o755, exist_ok=True)
    fresh.unlink(missing_ok=True)
    if release is None:
        path.unlink(missing_ok=True)
    elif not path.is_symlink() or path.readlink() != release:
        fresh.symlink_to(release)
        fresh.replace(path)


def log(name: str, since: float) -> str:
    """Return the last lines that ``name`` has logged since a time (of the epoch)."""
    return subprocess.run(
        ["journalctl", "--unit", f"{name}.service", "--since", f"@{int(since)}", "--lines",
         LOG_LINES, "--no-pager", "--output", "cat", "--quiet"],
        check=False, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip


def ask(name: str, *command: str) -> str:
    """Run a command of the release on a running instance; return its complaint."""
    done = subprocess.run(
        [INSTANCES / name / "deploy/run.sh", *command],
        env={**os.environ, **environment(name)}, check=False, capture_output=True, text=True,
    )  # fmt: skip
    return "" if done.returncode == 0 else (done.stderr.strip() or f"status {done.returncode}")


def stays(name: str) -> str:
    """Return what is wrong with a process that is to run for a while, or nothing."""
    pid = main_pid(name)
    time.sleep(float(WATCH_SECONDS))
    return "" if main_pid(name) == pid != "0" else "it ended by itself"


def start(name: str, release: Path) -> str:
    """Start ``name`` anew with ``release``; return what is wrong, or nothing.

    Stopping takes as long as its sockets and requests take; systemd waits for both.
    """
    link(name, release)
    # While it loads, those who serve come first.
    systemctl("set-property", "--runtime", f"{name}.service", "CPUWeight=20")
    try:
        systemctl("restart", f"{name}.service", check=True)
        if name.startswith(PROCESS):
            problem = stays(name)
        else:
            problem = ask(name, "probe", name, "/health/ready/", READY_SECONDS)
    except subprocess.CalledProcessError:
        problem = "it does not start"
    finally:
        systemctl("set-property", "--runtime", f"{name}.service", "CPUWeight=100")
    if not problem and serving(name) != release.name:
        problem = f"it runs {serving(name) or 'nothing'}"
    return problem


def has(release: Path, name: str) -> bool:
    """Tell whether a release knows ``name``: an older one may not have such a process yet."""
    if not name.startswith(PROCESS):
        return True
    script = (
        '. "$1"; while read -r name _; do [ "$name" != "$2" ] || exit 0;'
        ' done <<<"${SITE_PROCESSES-}"; exit 1'
    )
    wanted = ["bash", "-c", script, "-", release / "deploy/site.env", name.removeprefix(PROCESS)]
    return subprocess.run(wanted, check=False, capture_output=True).returncode == 0


def roll(release: Path, name: str) -> None:
    """Replace one instance; put the old release back if the new one does not work."""
    if not has(release, name):
        systemctl("disable", "--now", f"{name}.service")
        link(name, None)
        print(f"{release.name} has no {name}, which is stopped.")
        return
    path = INSTANCES / name
    old = path.readlink() if path.is_symlink() else None
    began = time.time()
    problem = start(name, release)
    if not problem:
        return
    print(f"{name} does not work with {release.name}: {problem}. Its last lines:")
    print(log(name, began))
    if old in (None, release) or not (old / ".complete").exists():
        sys.exit(1)
    again = start(name, old)
    print(f"{name} runs {old.name} again." if not again else f"Nor with {old.name}: {again}.")
    sys.exit(1)


def watch(name: str) -> str:
    """Start an instance; return what goes wrong with it for a while, or nothing."""
    try:
        systemctl("start", f"{name}.service", check=True)
    except subprocess.CalledProcessError:
        return "it does not start"
    pid = main_pid(name)
    problem = ask(name, "trial", name, WATCH_SECONDS)
    # Whoever asks at its socket has systemd start it again.
    return problem or ("" if main_pid(name) == pid else "it ended by itself")


def trial(release: Path, kinds: list[str]) -> None:
    """Run the release where nginx does not see it, and watch it for a while."""
    names = [f"{kind}@trial" for kind in kinds]
    units = [f"{name}.{unit}" for name in names for unit in ("service", "socket")]
    began = time.time()
    try:
        for name in names:
            link(name, release)
        with ThreadPoolExecutor() as threads:
            problems = list(threads.map(watch, names))
        for name, problem in zip(names, problems, strict=True):
            if problem:
                print(f"{release.name} does not work as {name}: {problem}. Its last lines:")
                print(log(name, began))
                sys.exit(1)
    finally:
        systemctl("stop", *units)
        systemctl("reset-failed", *units)
        for name in names:
            link(name, None)
            for folder in (SOCKETS, SOCKETS / "draining"):
                (folder / f"{name}.sock").unlink(missing_ok=True)


def ready(names: list[str]) -> None:
    """Wait until all instances are ready; exit with what those say that are not."""
    with ThreadPoolExecutor() as threads:
        problems = list(
            threads.map(
                lambda name: ask(name, "probe", name, "/health/ready/", READY_SECONDS), names
            )
        )
    found = [f"{name}: {problem}" for name, problem in zip(names, problems, strict=True) if problem]
    if found:
        sys.exit("\n".join(found))


def instances() -> list[dict[str, str]]:
    """Return what each instance of this server is to run and does run."""
    found = []
    for path in sorted([*INSTANCES.glob("[!.]*@[0-9]*"), *INSTANCES.glob(f"{PROCESS}*")]):
        state = systemctl("show", "--property=ActiveState", "--value", f"{path.name}.service")
        found.append({
            "instance": path.name, "release": path.readlink().name,
            "runs": serving(path.name), "state": state,
        })  # fmt: skip
    return found


def main() -> None:
    """Do what the command line says, when nobody else does."""
    lock = LOCK.open("w")
    match sys.argv[1:]:
        case ["list"]:
            print(json.dumps(instances()))
        case ["ready", *names]:
            ready(names)
        case ["try", release, *kinds] if kinds:
            fcntl.flock(lock, fcntl.LOCK_EX)
            trial(Path(release), kinds)
        case ["roll", release, name]:
            fcntl.flock(lock, fcntl.LOCK_EX)
            roll(Path(release), name)
        case _:
            sys.exit(
                "usage: instance.py try RELEASE KIND... | roll RELEASE NAME | ready NAME... | list"
            )


main()
