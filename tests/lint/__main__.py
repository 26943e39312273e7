"""Everything that can be judged without running it, at the same time: ``make lint``.

``python -m tests.lint rooms`` runs one of it, or several; each complaint has a name.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.checkout import ROOT

PYTHON = (sys.executable, "-m")
# No machine but this one has the same.
REGISTRIES = r"(pypi|pythonhosted|docker\.io/|deb\.debian\.org|registry\.npmjs)"
# The longest first.
COMMANDS: dict[str, tuple[str, ...]] = {
    "ansible-lint": ("ansible-lint", "--offline", "-qq", "--nocolor", "--profile", "production"),
    "mypy": ("mypy", "--no-error-summary"),
    "shellcheck": ("shellcheck", "--external-sources"),
    "gixy": (*PYTHON, "tests.lint.nginx"),
    "docs": (sys.executable, "docs/generate.py", "--check"),
    "links": (*PYTHON, "tests.links"),
    "ruff": ("ruff", "check", "--quiet", "."),
    "ruff format": ("ruff", "format", "--check", "--quiet", "."),
    # Which part of tandem/ may import which: the contracts in pyproject.toml.
    "rooms": ("lint-imports", "--no-cache"),
    "hadolint": ("hadolint", "--config", "tests/hadolint.yaml", "docker/Dockerfile"),
    "registries": (),
}
CURES = {
    "ruff": "; 'ruff check --fix' mends what it can",
    "ruff format": "; '.venv/bin/ruff format .' mends it",
    "registries": ", a package registry's host; derive it from the machine instead",
}


def git(*words: str) -> list[str]:
    """Return the lines that git prints."""
    return subprocess.run(
        ["git", *words], cwd=ROOT, check=False, capture_output=True, text=True
    ).stdout.splitlines()


def registries() -> list[str]:
    """Return the lines that name a package registry's host."""
    here = Path(__file__).relative_to(ROOT)
    lines = git("grep", "-nIE", REGISTRIES, "--", f":!{here}")
    return [line for line in lines if "docker.io " not in line]


def run(name: str) -> tuple[bool, str, float]:
    """Run a linter; return whether it is content, what it says, and the seconds."""
    began, command = time.monotonic(), COMMANDS[name]
    if name == "registries":
        found = registries()
        return not found, "".join(f"{line}\n" for line in found), time.monotonic() - began
    if name == "shellcheck":
        command += (*git("ls-files", "*.sh"), ".ci/run")
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "DJANGO_DEBUG": "on",
    }  # fmt: skip
    if name == "rooms":
        environment["PYTHONPATH"] = "app"
    ansible = name == "ansible-lint"
    done = subprocess.run(
        command, cwd=ROOT / "ansible" if ansible else ROOT, env=environment, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL if ansible else subprocess.STDOUT,
        text=True,
    )  # fmt: skip
    return done.returncode == 0, done.stdout, time.monotonic() - began


def main(names: list[str]) -> int:
    """Run the linters of these names, or all; return the exit status."""
    names = names or list(COMMANDS)
    clean = True
    with ThreadPoolExecutor(len(names)) as threads:
        for name, (content, says, seconds) in zip(names, threads.map(run, names), strict=True):
            if not content:
                clean = False
                sys.stderr.write(f"\n{name}:\n{says}tandem: {name} found the above")
                sys.stderr.write(f"{CURES.get(name, '')}.\n")
            if os.environ.get("TIMES"):
                print(f"{name:13} {seconds:6.1f} s", flush=True)
    if clean:
        print("lint: clean")
    return int(not clean)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
