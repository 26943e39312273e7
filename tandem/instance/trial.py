"""Watch a release that serves nobody yet: it must start, answer, and stay alive.

Usage: ``python -m tandem.instance.trial wsgi@trial [SECONDS]``
Exits 0 when the instance came to answer within ``START_SECONDS`` and then answered
promptly for SECONDS (5), else 1 with one sentence on stderr.
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
# Checked before the database is migrated to the release's state.
FORGIVEN = {"migrations"}


def complaint(instance: str) -> str:
    """Return what is wrong with ``instance`` now, or nothing."""
    for path in ("/health/live/", "/health/ready/"):
        began = time.monotonic()
        try:
            status, body = probe(instance, path)
        except (OSError, http.client.HTTPException) as error:
            return f"it does not answer on {path}: {error or type(error).__name__}"
        took = time.monotonic() - began
        if took > PROMPT_SECONDS:
            return f"it took {took:.1f} s to answer on {path}, and may take {PROMPT_SECONDS:.0f} s"
        if status != 200 and not (status == 503 and failed(body) <= FORGIVEN):
            return f"it answers {status} on {path}: {body[:300].strip()}"
    return ""


def failed(body: str) -> set[str]:
    """Return which checks a readiness answer names as failed; a body of another kind: ``{""}``."""
    try:
        checks = json.loads(body)["checks"]
        return {name for name, state in checks.items() if state != "ok"}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {""}


def main(arguments: list[str]) -> None:
    """Watch, and exit by what was seen."""
    if len(arguments) not in (1, 2):
        sys.exit("usage: python -m tandem.instance.trial INSTANCE [SECONDS]")
    instance, seconds = arguments[0], float(arguments[1] if len(arguments) == 2 else 5)
    deadline = time.monotonic() + START_SECONDS
    while problem := complaint(instance):
        if time.monotonic() > deadline:
            sys.exit(f"{instance} did not get ready within {START_SECONDS:.0f} s: {problem}")
        time.sleep(0.3)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        time.sleep(0.5)
        if problem := complaint(instance):
            sys.exit(f"{instance} was ready and then failed: {problem}")


if __name__ == "__main__":
    main(sys.argv[1:])
