"""Run uv with what this machine's pip is configured for: ``docker/uv.py pip compile …``.

A company's package index, TLS proxy and certificates are configured once, for pip (its files
and ``PIP_…``).  uv reads none of that, so it is handed over in uv's own variables, and written
nowhere.  A variable of uv that is set already wins.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

# Of pip's options those that say where packages come from; names of docs.astral.sh/uv.
VARIABLES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "no-index": "UV_NO_INDEX",
    "trusted-host": "UV_INSECURE_HOST",
    "keyring-provider": "UV_KEYRING_PROVIDER",
    "timeout": "UV_HTTP_TIMEOUT",
    "default-timeout": "UV_HTTP_TIMEOUT",
    "proxy": "ALL_PROXY",
    "cert": "SSL_CERT_FILE",
    "client-cert": "SSL_CLIENT_CERT",
}
COMMAS = {"find-links"}  # pip's lists are separated by spaces, and so are uv's others
SECTIONS = ("global", "install", ":env:")  # the later wins, as in pip


def variables(listing: str) -> dict[str, str]:
    """Return uv's variables for what ``pip config list`` printed."""
    found = {
        "UV_SYSTEM_CERTS": "true",  # as pip has it
        # pip looks into all indexes as well; the lock's hashes say which file is meant.
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }
    lines = [line.partition("=") for line in listing.splitlines()]
    for section in SECTIONS:
        for key, _, quoted in lines:
            of, _, option = key.rpartition(".")
            if of == section and option in VARIABLES:
                words = str(ast.literal_eval(quoted)).split()
                found[VARIABLES[option]] = ("," if option in COMMAS else " ").join(words)
    return found


def main() -> None:
    """Become uv."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], check=True, capture_output=True, text=True
    )
    uv = Path(sys.executable).with_name("uv")
    os.execve(uv, ["uv", *sys.argv[1:]], variables(listed.stdout) | os.environ)  # noqa: S606


if __name__ == "__main__":
    main()
