"""The replica's Debian and its Python, with this checkout and other packages than the site's."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from tests.checkout import CACHE, ROOT
from tests.stack import Stack

PYTHON = "3.13"  # Debian 13's
CHECKOUT = "/checkout"


def packages(lock: Path, *wheels: Path) -> Path:
    """Return a folder with the packages of a lock for the container, made anew when it changed.

    uv takes them from where this machine's pip does, and keeps them in its cache.
    """
    folder = CACHE / "library" / lock.stem
    made = folder / "made-of"
    if not wheels and made.exists() and made.read_bytes() == lock.read_bytes():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    for source in (["--require-hashes", "--requirement", lock], *([wheel] for wheel in wheels)):
        done = subprocess.run(
            [
                sys.executable, ROOT / "docker/uv.py", "pip", "install", "--quiet", "--no-deps",
                "--only-binary", ":all:", "--target", folder, "--python-version", PYTHON,
                "--python-platform", f"{platform.machine()}-unknown-linux-gnu", *source,
            ],
            check=False, capture_output=True, text=True,
            env={**os.environ, "UV_PYTHON_DOWNLOADS": "never"},
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
    shutil.copyfile(lock, made)
    return folder


def run(stack: Stack, packages: Path, *command: str) -> str:
    """Run Debian's Python with the packages, beside nothing of the site's; return what it said.

    Without a network, on a read-only root, as the user whose checkout it is.
    """
    done = stack.run(
        "docker", "run", "--rm", "--name", stack.container(f"library-{packages.name}"),
        "--network", "none", "--read-only", "--tmpfs", "/tmp:mode=1777,exec",
        "--cap-drop", "ALL", "--user", f"{os.getuid()}:{os.getgid()}",
        "--volume", f"{ROOT}:{CHECKOUT}:ro", "--workdir", CHECKOUT,
        "--volume", f"{packages}:/usr/local/lib/python{PYTHON}/dist-packages:ro",
        f"{stack.project}-app",
        # The image's variables are the site's.
        "env", "--ignore-environment", "PATH=/usr/bin:/bin", "HOME=/tmp", "LANG=C.UTF-8",
        "PYTHONPYCACHEPREFIX=/tmp/pycache", "/usr/bin/python3", *command, check=False,
    )  # fmt: skip
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    return done.stdout
