"""Make sure that a Chromium is there for the browser tests: ``python -m tests.chromium COMMAND …``.

The command gets its path as ``CHROMIUM``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from tests.checkout import ROOT

NAMES = ("chromium", "chromium-browser", "google-chrome")


def find() -> str:
    """Return the path of a Chromium, or nothing."""
    return next(filter(None, map(shutil.which, NAMES)), None) or ""


def main(*command: str) -> None:
    """Install one where that can be done, and become the command."""
    if not find():
        if os.getuid() or not os.access("/usr/bin/apt-get", os.X_OK):
            sys.exit(
                "tandem: the browser tests need Chromium; on Debian: sudo apt-get install chromium"
            )
        sys.stderr.write("tandem: installing Chromium for the browser tests.\n")
        install = ["docker/apt.sh", "chromium", "fonts-dejavu-core"]
        if subprocess.run(install, cwd=ROOT, check=False).returncode:
            sys.exit("tandem: installing Chromium failed; the reason is above.")
    if command:
        os.execvpe(command[0], command, os.environ | {"CHROMIUM": find()})


if __name__ == "__main__":
    main(*sys.argv[1:])
