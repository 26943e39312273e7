"""Show, check, move, apply and roll back the routes; report on them.

``report`` is a room of its own (``tandem.ops.commands``).
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from tandem.facts import ROUTES_FAILED as FAILED
from tandem.ops.routes.apply import apply, move, rollback
from tandem.ops.routes.arguments import parser
from tandem.ops.routes.force import COOKIE, HEADER, variable
from tandem.ops.routes.lint import warnings
from tandem.ops.routes.match import match
from tandem.ops.routes.model import KEYS, Route, RoutesError, load
from tandem.ops.routes.target import Target, TargetError, say


def main(arguments: list[str]) -> int:
    """Run the command that ``arguments`` name; return the exit status, ``FAILED`` of an error."""
    options = parser().parse_args(arguments)
    try:
        return COMMANDS[options.command](options)
    except (RoutesError, TargetError) as error:
        say(f"{error}.")
    except OSError as error:
        say(f"{error.filename}: {error.strerror}.")
    return FAILED


def show(options: argparse.Namespace) -> int:
    """Print all routes, or the one of a path."""
    routes = load(options.routes)
    if options.path is not None:
        if not options.path.startswith("/"):
            raise RoutesError(f"a path begins with '/', got {options.path!r}")
        routes = [match(routes, options.path)]
    if options.json:
        print(json.dumps([asdict(route) for route in routes], indent=2))
        return 0
    rows = [
        [*KEYS, "line"],
        *(_row(route) for route in sorted(routes, key=lambda r: r.path)),
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print(
            "  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip()
        )
    return 0


def _row(route: Route) -> list[str]:
    mirror = (
        route.mirror if isinstance(route.mirror, str) else {True: "safe", False: "-"}[route.mirror]
    )
    share = f"{route.share} %" if route.upstream == "asgi" and route.mode == "http" else "-"
    fallback = "wsgi" if route.falls_back else "-"
    return [route.path, route.upstream, route.mode, share, mirror, fallback, str(route.line)]


def check(options: argparse.Namespace) -> int:
    """Print what is wrong or odd; only an error is a failure."""
    routes = load(options.routes)
    found = warnings(routes, str(options.routes))
    for warning in found:
        print(f"warning: {warning}")
    print(f"{len(routes)} routes, {len(found)} warnings")
    return 0


def history(options: argparse.Namespace) -> int:
    """Print what was applied from here, and what the edges of an inventory know."""
    target = Target(tuple(options.inventory))
    for entry in target.history().entries():
        print(f"{entry.at} {entry.by}: {entry.what}")
    if options.inventory:
        print(target.log(), end="")
    return 0


def force(options: argparse.Namespace) -> int:
    """Print what staff sends, or what a shell reads for ``tandem compare``."""
    for side, token in Target(tuple(options.inventory)).tokens().items():
        if options.side not in (None, side):
            continue
        if options.export:
            print(f"export {variable(side)}={token}")
        else:
            print(f"{side}  header: {HEADER}: {token}")
            print(f"{side}  cookie: {COOKIE}={token}")
    return 0


COMMANDS = {
    "show": show,
    "check": check,
    "move": move,
    "apply": apply,
    "rollback": rollback,
    "history": history,
    "force": force,
}
