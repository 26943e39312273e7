"""Make sure that a container engine with Compose answers.

The one that is there is used.  On a bare Debian root gets one, after a word of it; anywhere else
it is said exactly what to install.
"""

from __future__ import annotations

import os
import re
import shutil
from subprocess import DEVNULL

from tandem.ops.checkout import debian
from tandem.ops.checkout.programs import Failed, Programs

MIN_COMPOSE = "2.24"  # "env_file: required: false" and "up --wait" with one-shot services


def ensure(programs: Programs) -> None:
    """Return once an engine answers; raise ``Failed`` where there is none."""
    if answers(programs):
        if new_enough(programs):
            return
        problem = f"Compose is missing or older than {MIN_COMPOSE}"
    elif shutil.which("dockerd"):
        problem = "the container engine is installed but does not answer"
    else:
        problem = "there is no container engine"
    if os.getuid() or not debian.here():
        raise Failed(
            f"{problem}; install Docker Engine (with buildx) and Compose {MIN_COMPOSE} or newer,"
            f" start it, and make sure that 'docker info' works for {programs.read('id', '-un')};"
            " on Debian, 'sudo make up' once does it for you."
        )
    if not shutil.which("dockerd") or not new_enough(programs):
        debian.install_engine(programs)
    if not answers(programs):
        debian.start_engine(programs)
    if not new_enough(programs):
        said = version(programs) or "none"
        raise Failed(f"Compose {MIN_COMPOSE} or newer is needed, found '{said}'.")


def answers(programs: Programs) -> bool:
    """Tell whether there is an engine that answers."""
    return bool(shutil.which("docker", path=programs.environment.get("PATH"))) and not (
        programs.run("docker", "info", out=DEVNULL, err=DEVNULL)
    )


def version(programs: Programs) -> str:
    """Return Compose's version; nothing where there is no Compose."""
    if not shutil.which("docker", path=programs.environment.get("PATH")):
        return ""
    return programs.read("docker", "compose", "version", "--short")


def new_enough(programs: Programs) -> bool:
    """Tell whether Compose is there, and can what is asked of it."""
    return numbers(version(programs)) >= numbers(MIN_COMPOSE)


def numbers(text: str) -> list[int]:
    """Return what a version begins with: ``v2.26.1-4`` is 2, 26, 1."""
    found = re.match(r"v?(\d+(?:\.\d+)*)", text)
    return [int(number) for number in found[1].split(".")] if found else []
