"""Watch a release that serves nobody yet: it must start, answer, and stay alive.

Usage: ``python -m tandem.instance.trial wsgi@trial [SECONDS]``
Exits 0 when the instance came to answer promptly within ``START_SECONDS`` and then went on
answering for SECONDS (5), else 1 with one sentence on stderr.  Late answers count when
``LATE_IN_A_ROW`` follow each other: one alone is a busy machine's, not the release's.
"""

from __future__ import annotations

import http.client
import json
import sys
import time

from tandem.instance.probe import probe

START_SECONDS = 60.0
# An instance that takes longer to say how it is would be slow in everything.
PROMPT_SECONDS = 2.0
LATE_IN_A_ROW = 3
# Checked before the database is migrated to the release's state.
FORGIVEN = {"migrations"}


class Late(Exception):  # noqa: N818 - an answer, not an error
    """The instance answered, or would have, but not promptly."""


def complaint(instance: str) -> str:
    """Return what is wrong with ``instance`` now, or nothing; raise ``Late`` if only that is."""
    for path in ("/health/live/", "/health/ready/"):
        began = time.monotonic()
        try:
            status, body = probe(instance, path)
        except TimeoutError as error:
            raise Late(f"it does not answer on {path}: {error}") from None
        except (OSError, http.client.HTTPException) as error:
            return f"it does not answer on {path}: {error or type(error).__name__}"
        if status != 200 and not (status == 503 and failed(body) <= FORGIVEN):
            return f"it answers {status} on {path}: {body[:300].strip()}"
        if (took := time.monotonic() - began) > PROMPT_SECONDS:
            raise Late(
                f"it took {took:.1f} s to answer on {path}, and may take {PROMPT_SECONDS:.0f} s"
            )
    return ""


def failed(body: str) -> set[str]:
    """Return which checks a readiness answer names as failed; a body of another kind: ``{""}``."""
    try:
        checks = json.loads(body)["checks"]
        return {name for name, state in checks.items() if state != "ok"}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {""}


def wait(instance: str) -> str:
    """Wait until ``instance`` answers promptly; return what is wrong if it never does."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            problem = complaint(instance)
        except Late as late:
            problem = str(late)
        if not problem:
            return ""
        if time.monotonic() > deadline:
            return f"{instance} did not get ready within {START_SECONDS:.0f} s: {problem}"
        time.sleep(0.3)


def watch(instance: str, seconds: float) -> str:
    """Ask an instance that was ready for ``seconds``; return what goes wrong, or nothing."""
    deadline, late = time.monotonic() + seconds, 0
    # The last answers decide, so a late one is followed by others.
    while late or time.monotonic() < deadline:
        time.sleep(0.5)
        try:
            problem, late = complaint(instance), 0
        except Late as error:
            problem, late = str(error), late + 1
        if problem and late in (0, LATE_IN_A_ROW):
            return f"{instance} was ready and then failed: {problem}"
    return ""


def main(arguments: list[str]) -> None:
    """Watch, and exit by what was seen."""
    if len(arguments) not in (1, 2):
        sys.exit("usage: python -m tandem.instance.trial INSTANCE [SECONDS]")
    instance, seconds = arguments[0], float(arguments[1] if len(arguments) == 2 else 5)
    if problem := wait(instance) or watch(instance, seconds):
        sys.exit(problem)


if __name__ == "__main__":
    main(sys.argv[1:])
