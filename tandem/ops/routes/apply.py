"""Change the routes and have them in force: move, apply, rollback.

The file is what is in force: where it cannot be applied, it is written back as it was.
"""

from __future__ import annotations

import argparse
import difflib
import fcntl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tandem.ops.bounded.files import write_text
from tandem.ops.routes.edit import Value, change
from tandem.ops.routes.lint import warnings
from tandem.ops.routes.model import Route, RoutesError, load, parse, read
from tandem.ops.routes.rollout import Patience, climb, gate
from tandem.ops.routes.target import Target, TargetError, say

MIRROR: dict[str, Value] = {"on": True, "off": None, "all": "all"}
FALLBACK: dict[str, Value] = {"on": None, "off": False}


def move(options: argparse.Namespace) -> int:
    """Change a route, in one step or in several."""
    if options.auto is None:
        step(options, options.share)
        return 0
    route = find(load(options.routes), options.path)
    start = route.share if route and route.upstream == "asgi" else 0
    options.to = "asgi"
    return climb(
        [share for share in options.auto if share > start or share == 100],
        start,
        lambda share: step(options, share),
        gate(options.path, options.inventory),
        Patience(options.hold, options.patience),
        say,
    )


def find(routes: list[Route], path: str) -> Route | None:
    """Return the route whose own path is ``path``, or nothing."""
    return next((route for route in routes if route.path == path), None)


def values(options: argparse.Namespace, share: int | None, route: Route | None) -> dict[str, Value]:
    """Return what the command line changes in ``route``; ``None`` takes a key out.

    Raises ``RoutesError`` where there is no route yet, and none is asked for.
    """
    upstream = options.to or (route.upstream if route else None)
    if upstream is None:
        raise RoutesError(f"{options.path} has no route; say where it goes: --to asgi")
    mode = options.mode or (route.mode if route else "http")
    found: dict[str, Value] = {"upstream": upstream}
    if options.mode:
        found["mode"] = None if mode == "http" else mode
    # What the new upstream or mode cannot have goes; who moves says for whom, or for all.
    if (upstream, mode) != ("asgi", "http"):
        found |= {"share": None, "fallback": None}
    if mode != "http":
        found["mirror"] = None
    if share is not None or options.to:
        found["share"] = None if share in (None, 100) else share
    if options.mirror:
        found["mirror"] = MIRROR[options.mirror]
    if options.fallback:
        found["fallback"] = FALLBACK[options.fallback]
    return found


def step(options: argparse.Namespace, share: int | None) -> None:
    """Change a route once.  Raises ``RoutesError`` or ``TargetError``; then nothing is changed."""
    file, target = options.routes, Target(tuple(options.inventory))
    with alone():
        before = read(file)
        changes = values(options, share, find(parse(before, str(file)), options.path))
        text = change(before, str(file), options.path, changes)
        lines = before.splitlines(True), text.splitlines(True)
        sys.stdout.writelines(difflib.unified_diff(*lines, str(file), str(file), n=1))
        if options.dry_run:
            return
        routes = parse(text, str(file))
        moved = find(routes, options.path)
        for warning in warnings(routes, str(file)):
            if moved and warning.startswith(f"{file}:{moved.line}: "):
                say(f"warning: {warning}.")
        # As typed: the file has true where that says on.
        typed = {"mirror": options.mirror, "fallback": options.fallback}
        words = [f"--{k} {typed.get(k) or v}" for k, v in changes.items() if v is not None]
        what = " ".join(["move", options.path, *words]).replace("--upstream", "--to")
        put(file, text, before, target, what)
        target.history().add(what, before, text)
        say(f"{what}: in force.")


def put(file: Path, text: str, before: str, target: Target, what: str) -> None:
    """Write ``file`` and apply it; should that fail, it is as ``before``."""
    write_text(file, text)
    try:
        target.apply(file, what)
    except (TargetError, KeyboardInterrupt):
        write_text(file, before)
        raise


def apply(options: argparse.Namespace) -> int:
    """Have the file in force as it is."""
    load(options.routes)
    target, text = Target(tuple(options.inventory)), read(options.routes)
    with alone():
        target.apply(options.routes, "apply")
        entries = target.history().entries()
        if not entries or entries[-1].text != text:
            target.history().add("apply", text, text)
    say("in force.")
    return 0


def rollback(options: argparse.Namespace) -> int:
    """Go one step back."""
    target, file = Target(tuple(options.inventory)), options.routes
    with alone():
        entries, previous = target.history().entries(), target.history().previous()
        if previous is None:
            raise TargetError(
                "there is nothing to go back to; 'tandem routes history' shows what was"
                " changed from this checkout"
            )
        before = read(file)
        if before != entries[-1].text:
            raise TargetError(
                f"{file} was edited since it was applied; apply that too, or undo it, first"
            )
        what = f"rollback to {previous.at}: {previous.what}"
        put(file, previous.text, before, target, what)
        target.history().went_back()
    say(f"{what}: in force.")
    return 0


@contextmanager
def alone() -> Iterator[None]:
    """Have no other of these commands between reading and writing."""
    lock = Path(".cache/routes/lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TargetError(
                "another 'tandem routes' of this checkout is under way; try again after it"
            ) from None
        yield
