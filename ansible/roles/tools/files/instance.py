#!/usr/bin/python3 -I
"""Put a release to work on this server, one instance at a time.

instance.py try RELEASE KIND...   run an instance of each kind that nobody is sent to
instance.py roll RELEASE NAME     let the instance (asgi@1) run the release
instance.py ready NAME...         wait until all of them are ready
instance.py list                  what each instance runs, as JSON

For the units, and as the user that theirs say:
instance.py starts NAME           note which release a process is started with
instance.py socket away|leave|back
instance.py probe NAME PATH [SECONDS]
instance.py trial NAME [SECONDS]

RELEASE is a folder, say /srv/tandem/releases/abc.  Exits 1 with a sentence and the last
lines of the log when the release does not work; the instance then runs the old one again.

Each call does its whole step on the server, whatever becomes of whoever asked for it.

Root runs this, and nothing of a release: a site's code is not trusted with root.  So it is
isolated (``-I``), comes with its own copies of the modules that it needs, and knows of a
process what systemd says, never what the process says of itself.
"""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))  # root's own, beside this file

from tandem import facts
from tandem.instance import checkup, handover, probe, trial

INSTANCES = Path(facts.INSTANCES)
SOCKETS = Path(facts.SOCKETS)
STARTED = SOCKETS / "started"
SETTINGS = Path(facts.SITE_ENV)
LOCK = Path("/run/tandem-instances.lock")
LOG_LINES = "15"
WATCH_SECONDS = "5"
READY_SECONDS = "30"
# The site's own processes (process@worker) listen nowhere: they are asked by a check of the site's.
PROCESS = f"{facts.PROCESS}@"


def systemctl(*arguments: str, check: bool = False) -> str:
    """Run systemctl; return what it prints.  With ``check`` raises ``CalledProcessError``."""
    return subprocess.run(
        ["systemctl", *arguments], check=check, capture_output=True, text=True
    ).stdout.strip()


def shown(name: str, *properties: str) -> dict[str, str]:
    """Return what systemd says of an instance's service, by property."""
    wanted = [f"--property={p}" for p in properties]
    lines = systemctl("show", *wanted, f"{name}.service").splitlines()
    return {key: value for key, _, value in (line.partition("=") for line in lines)}


def main_pid(name: str) -> str:
    """Return the main process of an instance; "0": it does not run."""
    return shown(name, "MainPID").get("MainPID", "0")


def starts(name: str) -> None:
    """Note which release this start is with: the unit calls it before the process begins."""
    handover.make(SOCKETS)
    handover.make(STARTED)
    release = (INSTANCES / name).readlink().name
    fresh = STARTED / f".{name}.new"
    fresh.write_text(f"{os.environ['INVOCATION_ID']} {release}\n")
    fresh.replace(STARTED / name)


def serving(name: str) -> str:
    """Return the release that the running process was started with; empty: it does not run."""
    state = shown(name, "MainPID", "InvocationID")
    try:
        start, _, release = (STARTED / name).read_text().strip().partition(" ")
    except FileNotFoundError:
        return ""
    return release if state["MainPID"] != "0" and start == state["InvocationID"] else ""


def surroundings(name: str) -> dict[str, str]:
    """Return what a question to an instance needs to know: its address, and the site's name."""
    said = shown(name, "Environment", "UnsetEnvironment")
    found = dict(pair.partition("=")[::2] for pair in shlex.split(said.get("Environment", "")))
    if "TANDEM_LISTEN" in shlex.split(said.get("UnsetEnvironment", "")):
        found.pop("TANDEM_LISTEN", None)
    settings = [line.partition("=")[::2] for line in SETTINGS.read_text().splitlines()]
    found |= {key: value.strip('"') for key, value in settings if key == "SERVER_NAMES"}
    wanted = {"TANDEM_LISTEN", "SERVER_NAMES"}
    return {key: value for key, value in found.items() if key in wanted}


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


def ask(name: str, question: str, *arguments: str) -> str:
    """Ask a running instance, as its own user, by ``probe`` or ``trial``; return its complaint."""
    user = shown(name, "User", "Group")
    done = subprocess.run(
        [sys.executable, "-I", __file__, question, name, *arguments],
        user=user["User"], group=user["Group"], extra_groups=[], env=surroundings(name), cwd="/",
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    return "" if done.returncode == 0 else (done.stderr.strip() or f"status {done.returncode}")


def stays(name: str) -> str:
    """Return what is wrong with a process that is to run for a while, or nothing."""
    pid = main_pid(name)
    time.sleep(float(WATCH_SECONDS))
    return "" if main_pid(name) == pid != "0" else "it ended by itself"


def works(name: str, release: Path) -> str:
    """Ask a process by the check that its site has for it; return its complaint, or nothing."""
    if not has(release, name, "SITE_CHECKS"):
        return ""

    def asked() -> tuple[int, str]:
        done = subprocess.run(
            [facts.MANAGE, name.removeprefix(PROCESS)], check=False, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, "TANDEM_PART": "checkup", "TANDEM_RELEASE_PATH": str(release)},
        )  # fmt: skip
        return done.returncode, done.stdout

    said = checkup.complaint(asked)
    return f"its check says: {said}" if said else ""


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
            problem = stays(name) or works(name, release)
        else:
            problem = ask(name, "probe", "/health/ready/", READY_SECONDS)
    except subprocess.CalledProcessError:
        problem = "it does not start"
    finally:
        systemctl("set-property", "--runtime", f"{name}.service", "CPUWeight=100")
    if not problem and serving(name) != release.name:
        problem = f"it runs {serving(name) or 'nothing'}"
    return problem


def has(release: Path, name: str, variable: str = "SITE_PROCESSES") -> bool:
    """Tell whether a release knows ``name``: an older one may not have such a process yet."""
    if not name.startswith(PROCESS):
        return True
    # Read, not run: this is root.
    words = shlex.split((release / "deploy/site.env").read_text(), comments=True)
    found = [w.removeprefix(f"{variable}=") for w in words if w.startswith(f"{variable}=")]
    processes = [line.split()[0] for text in found for line in text.splitlines() if line.strip()]
    return name.removeprefix(PROCESS) in processes


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
    problem = ask(name, "trial", WATCH_SECONDS)
    # Whoever asks at its socket has systemd start it again.
    return problem or ("" if main_pid(name) == pid else "it ended by itself")


def try_out(release: Path, kinds: list[str]) -> None:
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
            threads.map(lambda name: ask(name, "probe", "/health/ready/", READY_SECONDS), names)
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
    match sys.argv[1:]:
        case ["list"]:
            print(json.dumps(instances()))
        case ["ready", *names]:
            ready(names)
        case ["starts", name]:
            starts(name)
        case ["socket", action]:
            handover.main([action])
        case ["probe", *arguments]:
            probe.main(arguments)
        case ["trial", *arguments]:
            trial.main(arguments)
        case ["try", release, *kinds] if kinds:
            lock = LOCK.open("w")
            fcntl.flock(lock, fcntl.LOCK_EX)
            try_out(Path(release), kinds)
        case ["roll", release, name]:
            lock = LOCK.open("w")
            fcntl.flock(lock, fcntl.LOCK_EX)
            roll(Path(release), name)
        case _:
            sys.exit(
                "usage: instance.py try RELEASE KIND... | roll RELEASE NAME | ready NAME... | list"
                " | starts NAME | socket away|leave|back | probe NAME PATH [SECONDS]"
                " | trial NAME [SECONDS]"
            )


main()
