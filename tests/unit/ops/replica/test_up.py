"""What `make up` asks of the engine, in which order, and what becomes of it when something fails.

The engine is a program of the test's own that notes what it is asked: that everything else
is the product's own is the point, and tests/replica has a real engine.
"""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.stack import copy_of_checkout

ENGINE = """#!/usr/bin/env bash
echo "$*" >>"$CALLS"
case "$*" in
"compose version --short") echo 2.30.0 ;;
"compose config --hash"*) printf '%s new\\n' wsgi asgi notify ;;
"image inspect --format {{.Id}}"*) echo sha256:new ;;
ps*service=asgi*--all*) printf '%s\\t%s\\n' "$COMPOSE_PROJECT_NAME-asgi-1" "${LABELS-old}" ;;
ps*service=nginx*) echo "$COMPOSE_PROJECT_NAME-nginx-1" ;;
ps*service=asgi*) [ "${RUNS-}" != 1 ] || echo "$COMPOSE_PROJECT_NAME-asgi-1" ;;
"inspect --format {{.Image}}"*) echo sha256:before ;;
esac
[[ -z ${FAIL-} || "$*" != *"$FAIL"* ]] || { echo "it said why" >&2; exit 1; }
"""


REPLICA = (sys.executable, "-m", "tandem", "replica")


@dataclass
class Checkout:
    """A copy of the checkout whose engine only takes notes."""

    folder: Path
    calls: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command in it."""
        self.calls.write_text("")
        return subprocess.run(
            command, cwd=self.folder, env={**self.environment, **more},
            capture_output=True, text=True, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def asked(self, words: str) -> int:
        """Return when the engine was first asked for something; -1: never."""
        lines = self.calls.read_text().splitlines()
        return next((n for n, line in enumerate(lines) if words in line), -1)


def free_port() -> int:
    """Return a port of loopback that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """Give a copy of the checkout with an engine that takes notes."""
    folder = tmp_path_factory.mktemp("checkout")
    programs = tmp_path_factory.mktemp("programs")
    (programs / "docker").write_text(ENGINE)
    (programs / "docker").chmod(0o755)
    with copy_of_checkout(folder):
        (folder / ".cache").mkdir()
        environment = {
            **{k: v for k, v in os.environ.items() if k not in ("SITE", "FAIL")},
            "PATH": f"{programs}:{os.environ['PATH']}", "CALLS": str(programs / "calls"),
            "COMPOSE_PROJECT_NAME": "tandem-noted", "TANDEM_RELEASE": "r1",
            "HTTP_PORT": str(free_port()), "HTTPS_PORT": str(free_port()),
        }  # fmt: skip
        yield Checkout(folder, programs / "calls", environment)


FIRST_RUN = "run --rm --no-deps -T --volume tandem-noted_candidate"
NGINX = "nginx nginx -t -q"
LOADED = "run --rm --no-deps -T wsgi /srv/tandem/current/deploy/run.sh load"
TRIED = "run --rm --no-deps -T asgi trial.sh asgi"
MIGRATED = "run --rm --no-deps -T migrate"
REPLACED = "up --detach --wait --remove-orphans"
GENERATED = "run --rm --no-deps -T first-run"
STORES = "up --detach --wait postgres redis"


def test_everything_is_tried_before_anything_is_replaced(checkout: Checkout):
    done = checkout.run(*REPLICA, "up")
    assert done.returncode == 0, done.stderr
    order = [FIRST_RUN, NGINX, LOADED, GENERATED, STORES, TRIED, MIGRATED, REPLACED]
    asked = [checkout.asked(words) for words in order]
    assert -1 not in asked, dict(zip(order, asked, strict=True))
    assert asked == sorted(asked)


@pytest.mark.parametrize(
    ("labels", "tried"), [("new\tsha256:new", False), ("new\tsha256:old", True), ("old", True)]
)
def test_what_runs_the_same_image_by_the_same_settings_is_not_replaced(
    checkout: Checkout, labels: str, tried: bool
):
    done = checkout.run(*REPLICA, "up", LABELS=labels)
    assert done.returncode == 0, done.stderr
    assert (checkout.asked(TRIED) >= 0) is tried
    assert (checkout.asked("rm --force tandem-noted-asgi-1") >= 0) is tried


@pytest.mark.parametrize(
    ("fails", "sentence"),
    [
        (
            FIRST_RUN,
            "the settings or deploy/routes.yml are wrong. What ran before is still running.",
        ),
        (NGINX, "nginx does not accept the files of deploy/nginx. What ran before"),
        (LOADED, "the site does not load. What ran before is still running."),
        (TRIED, "the new release does not work on asgi. What ran before is still running."),
        (MIGRATED, "a migration failed. What ran before is still running."),
    ],
)
def test_what_fails_ends_it_with_one_sentence_and_replaces_nothing(
    checkout: Checkout, fails: str, sentence: str
):
    done = checkout.run(*REPLICA, "up", FAIL=fails)
    assert done.returncode == 1
    assert f"tandem: {sentence}" in done.stderr
    assert checkout.asked(REPLACED) == checkout.asked("docker stop") == -1


def test_a_wrong_setting_ends_it_before_the_engine_is_asked(checkout: Checkout):
    done = checkout.run(*REPLICA, "up", WSGI_WORKERS="many")
    assert done.returncode == 1
    assert "WSGI_WORKERS must be a whole number from 1 to 32, got 'many'." in done.stderr
    assert checkout.calls.read_text() == ""


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (
            "# Mine. [count 1-9]\nWSGI_WORKRS=2\n",
            "WSGI_WORKRS is not a setting of Tandem; is it misspelt?",
        ),
        ("\nMINE=2\n", "MINE has no comment that ends with the [kind] of its value"),
        ("\nMINE\n", "expected NAME=value, got 'MINE'."),
    ],
)
def test_a_line_of_the_settings_that_means_nothing_is_named(
    checkout: Checkout, line: str, sentence: str
):
    file = checkout.folder / ".env"
    sound = file.read_text()
    file.write_text(f"{sound}\n{line}")
    try:
        done = checkout.run(*REPLICA, "settings")
    finally:
        file.write_text(sound)
    assert done.returncode == 1
    assert sentence in done.stderr


@pytest.fixture
def busy(checkout: Checkout) -> Iterator[None]:
    """Hold the lock, as another `make up` of this checkout would."""
    with (checkout.folder / ".cache/lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.mark.usefixtures("busy")
def test_a_second_make_up_is_refused_while_the_first_is_under_way(checkout: Checkout):
    done = checkout.run(*REPLICA, "up")
    assert done.returncode == 1
    assert "another 'make up' or 'make roll' of this checkout is under way" in done.stderr
    assert checkout.asked("build") == checkout.asked("run") == -1


@pytest.mark.usefixtures("busy")
def test_routes_are_not_changed_while_make_up_is_under_way(checkout: Checkout):
    done = checkout.run(*REPLICA, "routes")
    assert done.returncode == 1
    assert "another command of this checkout changes the replica" in done.stderr
    assert checkout.asked("run") == -1


def test_a_taken_port_is_named(checkout: Checkout):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = checkout.run(*REPLICA, "up", HTTPS_PORT=port)
    assert done.returncode == 1
    assert f"port {port} is taken" in done.stderr
    assert checkout.asked("run") == -1


def test_clean_deletes_nothing_unasked(checkout: Checkout):
    done = checkout.run(*REPLICA, "clean")
    assert done.returncode == 1
    assert "not asking without a terminal" in done.stderr
    assert checkout.asked("compose down") == -1
    assert (checkout.folder / ".cache").exists()
