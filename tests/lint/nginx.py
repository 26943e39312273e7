"""gixy (security linter for nginx) on the whole configuration, generated files included."""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tandem.facts import NGINX_FILES, NGINX_MADE
from tandem.ops.checkout.settings import Settings
from tests.checkout import ROOT


def program(*words: str | Path) -> None:
    """Run a program of the package with the settings of ``.env``."""
    environment = os.environ | Settings({}).all() | {"TANDEM_RELEASE": "lint"}
    command = [sys.executable, "-m", *words]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)


def main() -> int:
    """Lay the files out as nginx finds them, and ask gixy; return the exit status."""
    with tempfile.TemporaryDirectory() as folder:
        static, generated, key = (Path(folder, name) for name in ("static", "generated", "key"))
        shutil.copytree(ROOT / "deploy/nginx", static)
        program("tandem.ops.nginx.generate", "tests/routes.yml", generated)
        key.write_bytes(base64.b64encode(os.urandom(32)) + b"\n")
        program("tandem.ops.routes.force", key, generated / "force.conf")
        for file in Path(folder).rglob("*.conf"):
            text = file.read_text().replace(f"{NGINX_FILES}/", f"{static}/")
            text = text.replace(f"{NGINX_MADE}/", f"{generated}/")
            file.write_text(re.sub(r"(?m)^.*modules-enabled.*\n", "", text))
        # missing_resolver: no name is ever looked up, each variable in a proxy_pass is one of the
        # upstreams.
        done = subprocess.run(["gixy", "--skips", "missing_resolver", static / "nginx.conf"],
                              check=False, capture_output=True, text=True)  # fmt: skip
        if done.returncode:
            print(done.stdout + done.stderr, file=sys.stderr)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
