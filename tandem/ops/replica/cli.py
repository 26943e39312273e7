"""Run the whole site on this machine: start, roll, stop, look into it, remove it."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from tandem.facts import FINE, FOUND, KINDS, REDIS_SOCKET
from tandem.ops.asking.cli import first
from tandem.ops.checkout import engine
from tandem.ops.checkout.parser import Commands
from tandem.ops.checkout.programs import ROOT, Failed, command, say
from tandem.ops.replica import build, nginx, published
from tandem.ops.replica.clean import clean
from tandem.ops.replica.stack import COMPOSE, RUN, Stack
from tandem.ops.replica.up import check_settings, ready, up
from tandem.ops.routes.model import RoutesError
from tandem.ops.routes.site import socket_paths

DESCRIPTION = """\
The replica is a server's processes on this machine, each in a container; docs/replica.md. Its
settings are in .env, and a variable of the same name in the environment wins. SITE=folder, with a
tandem.yml in it, makes it the replica of that site.
"""
EPILOG = """\
It exits with 0, or with 1 after a sentence that says what is wrong. What can go wrong is tried
before anything that runs is touched: after a failure, and after Ctrl-C, what ran before still runs.
TAKE_OVER=1 lets this checkout have a stack that another one has started. YES=1 has 'clean' delete
without asking.
"""
SHOWN = "table {{.Name}}\t{{.Status}}\t{{.Ports}}"


def main(arguments: list[str]) -> int:
    """Run the command that ``arguments`` name; return the exit status."""
    options = parser().parse_args(arguments)

    def run() -> Any:
        if options.run in (bring_up, replace_all, images):
            first(os.environ)
        return options.run(Stack(), options)

    return command(run)


def parser() -> argparse.ArgumentParser:
    """Return the parser; each command has a function ``run``."""
    top = Commands("replica", DESCRIPTION, EPILOG)
    add = top.add

    def passed(name: str, service: str, start: tuple[str, ...], help_: str) -> None:
        top.passed(name, inside, help_, service=service, start=start)

    add("up", bring_up, "start everything; apply every change; wait for it")
    add("roll", replace_all,
        "the same, and replace every instance in turn, without a failed request")  # fmt: skip
    add("down", lambda stack, _: stack.run(*COMPOSE, "down", "--remove-orphans"),
        "stop everything; the data stays")  # fmt: skip
    add("restart", lambda stack, _: stack.run(*COMPOSE, "restart", "nginx", *KINDS),
        "restart nginx and all instances")  # fmt: skip
    add("ps", ps, "what runs, how it feels, and whether it answers at its ports")
    logs = add("logs", follow, "follow the logs, of all services or of some")
    logs.add_argument("service", nargs="*")
    top.passed("check", check, "what of the running site would break, or cost, under ASGI",
               service="", start=(RUN, "check"))  # fmt: skip
    passed("shell", "", (RUN, "manage", "shell"), "Python's prompt in the site")
    passed("manage", "", (RUN, "manage"), "a management command of the site")
    passed("psql", "postgres", ("psql", "tandem"), "SQL's prompt of the site's database")
    passed("redis", "redis", ("redis-cli", "-s", REDIS_SOCKET), "Redis' prompt")
    add("clean", lambda stack, _: clean(stack), "delete the replica and its data, after asking")
    routes = add("routes", lambda stack, options: nginx.route(stack, options.file),
                 "have nginx route by a file, as 'tandem routes apply' does")  # fmt: skip
    routes.add_argument("file", type=path, nargs="?", default=path("deploy/routes.yml"))
    add("reload", lambda stack, _: nginx.reload(stack), "have nginx read its files again")
    add("images", images, "build the images, if what they are made of has changed")
    add("engine", lambda stack, _: engine.ensure(stack),
        "make sure that a container engine answers; root on Debian gets one")  # fmt: skip
    settings = add("settings", show, "check .env, and print the values of some settings")
    settings.add_argument("name", nargs="*")
    return top.parser


def path(word: str) -> Path:
    """Return a path as it is seen from where the command was called."""
    return Path(word).resolve()


def bring_up(stack: Stack, _: argparse.Namespace) -> None:
    """Apply every change."""
    up(stack)


def replace_all(stack: Stack, _: argparse.Namespace) -> None:
    """Apply every change, and replace what did not change as well."""
    up(stack, everything=True)


def ps(stack: Stack, _: argparse.Namespace) -> int:
    """Show the containers, and say what is wrong at the published ports."""
    status = stack.run(*COMPOSE, "ps", "--all", "--format", SHOWN)
    try:
        published.verify(stack)
    except Failed as failed:
        say(str(failed))  # it is told, and no failure of this command
    return status


def follow(stack: Stack, options: argparse.Namespace) -> None:
    """Follow the logs."""
    stack.become(*COMPOSE, "logs", "--follow", "--tail", "100", *options.service)


def inside(stack: Stack, options: argparse.Namespace) -> None:
    """Run a program in the container of a service; it gets the terminal."""
    # A service whose containers hold the site: Gunicorn's, while there is one.
    some = "asgi" if stack.settings["WSGI_INSTANCES"] == "0" else "wsgi"
    stack.become(*COMPOSE, "exec", options.service or some, *options.start, *options.words)


def check(stack: Stack, options: argparse.Namespace) -> None:
    """Check the site in its container, which does not know the routes."""
    try:
        paths = " ".join(socket_paths(ROOT))
    except RoutesError as error:
        raise Failed(f"{error}.") from None
    options.start = (*options.start, f"--socket-paths={paths}")
    inside(stack, options)


def images(stack: Stack, _: argparse.Namespace) -> None:
    """Build the images."""
    ready(stack)
    build.build(stack)


def show(stack: Stack, options: argparse.Namespace) -> int:
    """Print values, and say what is wrong in ``.env``."""
    for name in options.name:
        print(stack.settings[name])
    try:
        check_settings(stack)
    except Failed:
        return FOUND
    return FINE
