"""The command line of ``tandem routes``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NoReturn

from tandem.facts import KINDS, ROUTES_FAILED
from tandem.ops.routes.force import SIDES
from tandem.ops.routes.model import MODES
from tandem.ops.routes.site import enter


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaints cannot be taken for a verdict."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and end with ``ROUTES_FAILED``."""
        self.exit(ROUTES_FAILED, f"{self.prog}: {message}\n")


def percent(word: str) -> int:
    """Return a share.  Raises ``argparse.ArgumentTypeError``."""
    if not word.isdecimal() or int(word) > 100:
        raise argparse.ArgumentTypeError(f"must be a whole number from 0 to 100, got {word!r}")
    return int(word)


def steps(word: str) -> list[int]:
    """Return growing shares: ``1,10,50,100``.  Raises ``argparse.ArgumentTypeError``."""
    shares = [percent(part.strip()) for part in word.split(",")]
    if shares != sorted(set(shares)):
        raise argparse.ArgumentTypeError(
            f"must be shares that grow, such as 1,10,50,100, got {word!r}"
        )
    return shares


def parser() -> argparse.ArgumentParser:
    """Return the parser of everything but ``report``, which has its own."""
    where = Parser(add_help=False)
    where.add_argument(
        "--routes",
        type=Path,
        default=enter(),
        metavar="FILE",
        help="default: %(default)s",
    )
    where.add_argument(
        "--inventory",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="the edges of these servers; default: the replica",
    )
    top = Parser(prog="tandem routes", description="Which path is served where; docs/routes.md")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    show = commands.add_parser(
        "show", parents=[where], help="all routes, or the one that serves a path"
    )
    show.add_argument("path", nargs="?")
    show.add_argument("--json", action="store_true", help="for programs")
    commands.add_parser("check", parents=[where], help="errors and warnings, with file and line")

    move = commands.add_parser("move", parents=[where], help="change a route and apply it")
    move.add_argument("path")
    move.add_argument("--to", choices=KINDS, help="default: where it is")
    move.add_argument("--mode", choices=MODES)
    share = move.add_mutually_exclusive_group()
    share.add_argument(
        "--share", type=percent, metavar="PERCENT", help="of the clients; the others stay with wsgi"
    )
    share.add_argument(
        "--auto",
        type=steps,
        metavar="1,10,50,100",
        help="each step if 'report --gate' finds none worse, else back",
    )
    move.add_argument(
        "--mirror", choices=("on", "off", "all"), help="copies for the other upstream"
    )
    move.add_argument("--fallback", choices=("on", "off"), help="wsgi answers where asgi does not")
    move.add_argument(
        "--hold",
        type=float,
        default=600,
        metavar="SECONDS",
        help="of --auto: a step takes this long; default: %(default)s",
    )
    move.add_argument(
        "--patience",
        type=float,
        default=7200,
        metavar="SECONDS",
        help="of --auto: a step takes no longer; default: %(default)s",
    )
    move.add_argument("--dry-run", action="store_true", help="only show the change")

    commands.add_parser(
        "apply", parents=[where], help="have the routes in force, after editing the file"
    )
    commands.add_parser("rollback", parents=[where], help="one step back, and again one")
    commands.add_parser("history", parents=[where], help="who changed what and when")
    force = commands.add_parser("force", parents=[where], help="what staff sends to choose a side")
    force.add_argument("side", nargs="?", choices=SIDES)
    force.add_argument(
        "--export",
        action="store_true",
        help='for the shell: eval "$(tandem routes force --export)"',
    )
    commands.add_parser(
        "report", add_help=False, help="what each route and upstream did, from the logs"
    )
    return top
