"""What the gate says of a canary; ``tandem.ops.report.gate`` judges, a rollout obeys."""

from __future__ import annotations

from enum import IntEnum


class Verdict(IntEnum):
    """What is known of a canary; the numbers are the exit status of ``report --gate``."""

    GOOD = 0
    WORSE = 1
    UNKNOWN = 2  # not enough requests yet
