"""``make up`` from good to good, and what it says when something is wrong."""

from __future__ import annotations

import fcntl
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack import Stack, copy_of_checkout

ENGINE = """
import os
from tandem.ops.checkout import engine, programs
raise SystemExit(programs.command(lambda: engine.ensure(programs.Programs(dict(os.environ)))))
"""
# Debian without a mirror, whose lists another program keeps locked for a while.
HELD_APT = """
rm -rf /etc/apt/sources.list*
touch /etc/apt/sources.list
perl -MFcntl -e '
    open(LISTS, ">>/var/lib/apt/lists/lock");
    $all = pack("s s l! l! i", F_WRLCK, 0, 0, 0, 0);
    fcntl(LISTS, F_SETLK, $all) or die;
    open(HELD, ">/tmp/held");
    sleep 3' &
until [ -e /tmp/held ]; do sleep 0.1; done
/checkout/docker/apt.sh && echo "installed after it"
"""


@pytest.fixture
def broken(stack: Stack, tmp_path: Path) -> Iterator[Stack]:
    """Give a copy of the checkout to break, sharing the running stack's name and ports.

    Afterwards the site must still answer, by the same containers as before.
    """
    before = containers(stack)
    with copy_of_checkout(tmp_path / "checkout") as root, stack.same_images():
        yield Stack(root)
    assert containers(stack) == before
    with stack.client() as client:
        assert client.get("/health/ready/").status_code == 200
        assert client.get("/health/asgi/ready/").status_code == 200


def containers(stack: Stack) -> set[str]:
    """Return the ids of the containers that run."""
    return set(stack.compose("ps", "--quiet", "--no-trunc").split())


def change(stack: Stack, name: str, old: str, new: str) -> None:
    """Replace ``old``, which must be there, in a file of the checkout."""
    file = stack.root / name
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def complaint(stack: Stack, **settings: str) -> str:
    """Run ``make up``, which must fail; return what it printed."""
    done = stack.up(check=False, **settings)
    assert done.returncode != 0
    return done.stdout + done.stderr


def test_up_again_changes_nothing_and_builds_nothing(stack: Stack):
    before = containers(stack)
    up = stack.up()
    assert f"{stack.origin}/" in up.stdout
    assert "demo / demo" in up.stdout
    assert "building" not in up.stderr
    assert containers(stack) == before


def test_up_is_refused_while_another_one_is_under_way(broken: Stack):
    (broken.root / ".cache").mkdir()
    with (broken.root / ".cache/lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        out = complaint(broken)
    assert "another 'make up' or 'make roll' of this checkout is under way" in out


def test_another_checkout_does_not_get_the_stack(stack: Stack, broken: Stack):
    out = complaint(broken, TAKE_OVER="")
    assert f"the stack {stack.project} is that of the checkout {stack.root}" in out
    assert "give this one another COMPOSE_PROJECT_NAME" in out


def test_down_and_up_keeps_all_data(stack: Stack):
    key = "from django.conf import settings; print(settings.SECRET_KEY)"
    before = stack.manage(key)
    with stack.client("demo") as client:
        room = "/chat/kept/"
        client.post(
            room,
            data={"message": "remember me", "csrfmiddlewaretoken": client.cookies["csrftoken"]},
            headers={"Referer": stack.origin},
        )
        stack.run("make", "down")
        stack.up()
        assert "remember me" in client.get(room).text  # the session has survived too
    assert stack.manage(key) == before


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "WSGI_INSTANCES=2",
            "WSGI_INSTANCES=two",
            "WSGI_INSTANCES must be a whole number from 0 to 32, got 'two'",
        ),
        (
            "HTTPS_PORT=8443",
            "HTTPS_PROT=8443",
            "HTTPS_PROT is not a setting of Tandem; is it misspelt?",
        ),
        ("ASGI_THREADS=8\n", "\n", "ASGI_THREADS is missing"),
        ("UPLOAD_LIMIT_MIB=25", "UPLOAD_LIMIT_MIB 25", "expected NAME=value"),
        (
            "TANDEM_IDENTITY_HEADERS=on",
            "TANDEM_IDENTITY_HEADERS=yes",
            "must be one of on, off, got 'yes'",
        ),
    ],
)
def test_a_wrong_setting_is_named_with_its_line(broken: Stack, old: str, new: str, sentence: str):
    change(broken, ".env", old, new)
    out = complaint(broken)
    assert sentence in out
    assert ".env:" in out


def test_a_taken_port_is_named(broken: Stack):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        out = complaint(broken, HTTPS_PORT=str(port))
    assert f"port {port} is taken" in out
    assert "set HTTPS_PORT in .env to another" in out


def test_a_broken_nginx_file_is_shown_with_its_line(broken: Stack):
    change(
        broken,
        "deploy/nginx/snippets/proxy.conf",
        "proxy_http_version 1.1;",
        "proxy_http_versoin 1.1;",
    )
    out = complaint(broken)
    assert 'unknown directive "proxy_http_versoin" in /etc/nginx/tandem/snippets/proxy.conf' in out
    assert (
        "nginx does not accept the files of deploy/nginx. What ran before is still running." in out
    )


def test_a_wrong_route_is_shown_with_its_line(broken: Stack):
    change(broken, "deploy/routes.yml", "upstream: asgi", "upstream: daphne")
    text = (broken.root / "deploy/routes.yml").read_text()
    line = text[: text.index("daphne")].count("\n") + 1
    wanted = f"routes.yml:{line}: upstream must be wsgi or asgi or notify, got 'daphne'"
    assert wanted in complaint(broken)


def test_a_site_that_does_not_load_never_starts(broken: Stack):
    change(
        broken,
        "app/config/urls.py",
        "from django.contrib import admin",
        "from django.contrib import amdin",
    )
    out = complaint(broken)
    assert "cannot import name 'amdin'" in out
    assert "the site does not load. What ran before is still running." in out


def test_a_migration_that_fails_stops_before_anything_is_replaced(broken: Stack):
    (broken.root / "app/chat/migrations/0002_fails.py").write_text(
        "from django.db import migrations\n\n\n"
        "class Migration(migrations.Migration):\n"
        '    dependencies = [("chat", "0001_initial")]\n'
        '    operations = [migrations.RunSQL("SELECT no_such_function()")]\n'
    )
    out = complaint(broken)
    assert "no_such_function" in out
    assert "a migration failed. What ran before is still running." in out


def test_a_full_disk_at_build_is_called_by_its_name(broken: Stack):
    # A small disk of our own cannot hold the engine's images here, so the build itself
    # fills one: a real ENOSPC from the kernel, in a build step.
    change(
        broken,
        "docker/Dockerfile",
        "COPY requirements.lock docker/wheels.sh /build/",
        "RUN --mount=type=tmpfs,target=/full,size=1048576 head -c 2000000 /dev/zero >/full/file",
    )
    out = complaint(broken)
    assert "the disk is full" in out


def test_an_engine_that_does_not_answer_is_explained(broken: Stack):
    # Where anybody may read, by a Python that anybody may run: a checkout's need not be.
    with tempfile.TemporaryDirectory() as folder:
        for name in ("tandem", "compose.yaml"):
            broken.run("cp", "-r", name, folder)
        broken.run("chmod", "-R", "a+rX", folder)
        out = broken.run(
            "setpriv", "--reuid=65534", "--clear-groups", "/usr/bin/python3", "-c", ENGINE,
            check=False, DOCKER_HOST="unix:///nonexistent.sock", PYTHONPATH=folder,
        ).stderr  # fmt: skip
    assert "install Docker Engine" in out or "does not answer" in out
    assert "'docker info' works for" in out


def test_a_program_that_installs_packages_meanwhile_is_waited_for(stack: Stack):
    said = stack.run(
        "docker", "run", "--rm", "--network=none",
        "--volume", f"{stack.root}/docker:/checkout/docker:ro",
        "debian:trixie-slim", "bash", "-c", HELD_APT,
    )  # fmt: skip
    assert "waiting for another program that installs packages (It is held by" in said.stderr
    assert "installed after it" in said.stdout


def test_clean_asks_before_it_deletes(broken: Stack):
    done = broken.run("make", "clean", check=False)
    assert done.returncode != 0
    assert f"volume {broken.project}_database" in done.stdout
    assert "not asking without a terminal" in done.stderr


def test_changed_routes_are_applied_to_the_running_site(stack: Stack, tmp_path: Path):
    try:
        with copy_of_checkout(tmp_path / "checkout") as root:
            moved = Stack(root)
            moved.up()
            before = containers(stack)
            with (root / "deploy/routes.yml").open("a") as routes:
                routes.write("\n- path: /accounts/\n  upstream: asgi\n")
            moved.up()
            with stack.client() as client:
                assert client.get("/accounts/login/").headers["X-Upstream"].startswith("asgi@")
            assert containers(stack) == before
    finally:
        stack.up()
    with stack.client() as client:
        assert client.get("/accounts/login/").headers["X-Upstream"].startswith("wsgi@")
