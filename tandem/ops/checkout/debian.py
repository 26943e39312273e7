"""What root can install and start on a Debian: an engine, and images of this machine's mirror."""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from tandem.facts import DEBIANS, NEWEST_DEBIAN
from tandem.ops.checkout.programs import Failed, Programs, say

SYSTEMD = Path("/run/systemd/system")
SOURCES = Path("/etc/apt/sources.list.d/tandem-engine.sources")
PREFERENCES = Path("/etc/apt/preferences.d/tandem-engine")
ENGINE = ("docker.io", "docker-cli", "docker-buildx", "docker-compose", "iptables")
ENGINE_LOG = Path("/var/log/dockerd.log")
START_SECONDS = 30
# What forwards an engine's ports needs six for each connection (docs/replica.md); as many as
# Debian's init script gives it.
DESCRIPTORS = 1_048_576
# The slim images leave documentation out, as does this.
LEFT_OUT = ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*")


def release() -> dict[str, str]:
    """Return what the system says that it is."""
    file = Path("/etc/os-release")
    lines = file.read_text().splitlines() if file.exists() else []
    return {name: value.strip('"') for name, _, value in (line.partition("=") for line in lines)}


def here() -> bool:
    """Tell whether this is a Debian."""
    return os.access("/usr/bin/apt-get", os.X_OK) and release().get("ID") == "debian"


def apt(programs: Programs, sentence: str, *packages: str) -> None:
    """Install packages, or read the lists anew where there are none to install."""
    if programs.run("docker/apt.sh", *packages):
        raise Failed(sentence)


def mirror(programs: Programs) -> str:
    """Return the mirror that this machine's own apt uses: none is written in the repository."""
    shown = ("apt-get", "indextargets", "--format", "$(ORIGIN) $(REPO_URI)", "Created-By: Packages")
    for line in programs.lines(*shown):
        origin, _, address = line.partition(" ")
        if origin == "Debian" and "security" not in address:
            return address
    raise Failed(
        "this machine's apt has no Debian mirror; add one to /etc/apt/sources.list and run"
        " 'apt-get update'."
    )


def install_engine(programs: Programs) -> None:
    """Install an engine with Compose."""
    say(
        "no container engine here: installing docker.io, buildx and Compose from Debian (this takes"
        " a minute)."
    )
    suite: tuple[str, ...] = ()
    # The oldest ships Compose 1.29, too old; its successor's works there.
    if release().get("VERSION_CODENAME") == next(iter(DEBIANS)):
        apt(programs, "Debian's package lists cannot be read; the reason is above.")
        SOURCES.write_text(
            f"Types: deb\nURIs: {mirror(programs)}\nSuites: {NEWEST_DEBIAN}\nComponents: main\n"
            "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
        )
        # Priority 50: nothing comes from the newer release unless asked by name.
        PREFERENCES.write_text(f"Package: *\nPin: release n={NEWEST_DEBIAN}\nPin-Priority: 50\n")
        suite = ("-t", NEWEST_DEBIAN)
    failed = "installing the container engine failed; the reason is above."
    apt(programs, failed, *suite, *ENGINE)


def start_engine(programs: Programs) -> None:
    """Start the engine, and wait until it answers."""
    say("starting the container engine.")
    if SYSTEMD.is_dir():
        if programs.run("systemctl", "enable", "--now", "docker", out=2):
            raise Failed("the container engine did not start; see: journalctl -u docker")
    else:
        with ENGINE_LOG.open("a") as log:  # a session of its own: it outlives this one
            programs.start(
                "dockerd", stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
                preexec_fn=_more_descriptors,
            )  # fmt: skip
    deadline = time.monotonic() + START_SECONDS
    while programs.run("docker", "info", out=subprocess.DEVNULL, err=subprocess.DEVNULL):
        if time.monotonic() > deadline:
            raise Failed(
                f"the container engine did not answer within {START_SECONDS} s; see"
                f" {ENGINE_LOG} or journalctl -u docker."
            )
        time.sleep(0.5)


def _more_descriptors() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, max(DESCRIPTORS, most)))
    except (ValueError, OSError):  # not root's to raise, here
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def build_image(programs: Programs, image: str) -> None:
    """Build a base image (``debian:trixie-slim``) of what this machine's mirror has."""
    suite = re.sub("^debian:|-slim$", "", image)
    if not shutil.which("mmdebstrap"):
        if os.getuid():
            raise Failed(
                f"the image {image} cannot be pulled; install mmdebstrap ('sudo apt-get install"
                " mmdebstrap') so that it can be built from this machine's Debian mirror."
            )
        say(
            f"no image registry answers: installing mmdebstrap to build {image} from this machine's"
            " Debian mirror."
        )
        apt(programs, "mmdebstrap could not be installed; the reason is above.", "mmdebstrap")
    address = mirror(programs)
    say(f"building {image} from Debian's {suite} packages.")
    security = address.removesuffix("/debian/") + "/debian-security"
    lines = (
        f"deb {address} {suite} main", f"deb {address} {suite}-updates main",
        f"deb {security} {suite}-security main",
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        archive, log = Path(folder, "root.tar"), Path(folder, "log")
        with log.open("w") as said:
            status = programs.run(
                "mmdebstrap", "--quiet", "--variant=minbase", "--include=ca-certificates",
                *(f"--dpkgopt=path-exclude={path}" for path in LEFT_OUT), suite, archive, *lines,
                err=said,
            )  # fmt: skip
        if status:
            last = log.read_text().strip().splitlines()[-1:]
            raise Failed(f"building {image} failed: {''.join(last)}")
        command = ("docker", "import", "--change", 'CMD ["bash"]', archive, image)
        if programs.run(*command, out=subprocess.DEVNULL):
            raise Failed(f"the engine does not take {image}; the reason is above.")
