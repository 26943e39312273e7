"""Bring the replica to what the checkout says: ``make up`` and ``make roll``.

Everything that can go wrong is tried before what runs is touched, and then nothing that serves is
stopped before its successor can.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from tandem.ops.checkout import engine, images, site
from tandem.ops.checkout.programs import CACHE, STILL, Failed, say
from tandem.ops.replica import processes, published
from tandem.ops.replica.build import build, made
from tandem.ops.replica.nginx import generated, reload
from tandem.ops.replica.roll import retire, roll
from tandem.ops.replica.stack import ONCE, UP, Stack
from tandem.ops.replica.trial import beside, candidate

NICE = 10


def up(stack: Stack, everything: bool = False) -> None:
    """Apply every change, and wait until all is healthy; replace ``everything``, even unchanged."""
    with suppress(OSError):
        os.nice(NICE)  # on a laptop with two cores, the site that runs comes first
    CACHE.mkdir(exist_ok=True)
    ready(stack)
    build(stack)
    # What ended well the last time, and serves, is neither tried nor migrated again.
    known = CACHE / f"up-{stack.project}"
    changed = not (same(made(stack), known) and stack.all_serve())
    if changed:
        candidate(stack)
    before = generated(stack)
    say("starting.")
    attempt = stack.attempt_here
    attempt(f"the files that 'make up' generates could not be written. {STILL}", *ONCE, "first-run")
    if changed:
        attempt("PostgreSQL or Redis does not start.", *UP, "--wait", "postgres", "redis")
        if stack.stale():
            beside(stack)
        attempt(f"a migration failed. {STILL}", *ONCE, "migrate")
        known.unlink(missing_ok=True)
        roll(stack, stack.instances() if everything else stack.stale())
        retire(stack)
    elif everything:
        roll(stack, stack.instances())
    try:
        attempt(
            "not everything is healthy; 'make ps' and 'make logs' show what.",
            *UP, "--wait", "--remove-orphans", shown=3,
        )  # fmt: skip
    except Failed:
        processes.ended(stack)  # its own words tell more
        raise
    processes.verify(stack)
    # A new container has read them already; one that was left alone has not.
    if before and before != generated(stack):
        reload(stack)
    shutil.copyfile(made(stack), known)
    published.verify(stack, mend=True)
    published.welcome(stack)


def ready(stack: Stack) -> None:
    """Fail unless the settings are sound, an engine answers, and stack and ports are ours."""
    if stack.place:
        debian = stack.settings["DEBIAN_RELEASE"]
        stack.environment |= site.prepare(stack.place, debian, stack)
    if not stack.environment.get("TANDEM_RELEASE"):
        stack.environment["TANDEM_RELEASE"] = images.release_name(stack)
    check_settings(stack)
    engine.ensure(stack)
    stack.lock("another 'make up' or 'make roll' of this checkout is under way")
    stack.owned()
    published.free(stack)


def check_settings(stack: Stack) -> None:
    """Fail where a setting is wrong, having said each mistake."""
    if found := stack.settings.complaints():
        for sentence in found:
            say(sentence)
        raise Failed("nothing was changed; correct the above and run it again.")


def same(one: Path, other: Path) -> bool:
    """Tell whether both files are there and say the same."""
    return one.exists() and other.exists() and one.read_bytes() == other.read_bytes()
