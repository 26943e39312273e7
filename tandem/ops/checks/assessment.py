"""What moving an address to ASGI would mean, from what was found in its code."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tandem.ops.checks.application import BARE
from tandem.ops.checks.finding import COST, NOT_READY, Finding, Place
from tandem.ops.checks.urls import SOCKET, Address, misplaced

READY = "ready"


@dataclass(frozen=True)
class Reason:
    """Why a verdict is not ``ready``."""

    verdict: str
    said: str
    code: str = ""
    place: Place | None = None


@dataclass(frozen=True)
class Assessment:
    """The verdict on one URL pattern, with its reasons."""

    address: Address
    reasons: list[Reason] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """``ready``, ``ready with cost`` or ``not ready``: the worst of the reasons."""
        said = {reason.verdict for reason in self.reasons}
        return next((v for v in (NOT_READY, COST) if v in said), READY)


def judge(
    addresses: Iterable[Address], findings: Iterable[Finding], middleware: list[str]
) -> list[Assessment]:
    """Return a verdict for each address.

    ``middleware`` are the names that cannot run on the event loop.
    """
    local = [f for f in findings if f.kind.verdict and f.place]
    verdicts = []
    for address in addresses:
        view = address.view
        reasons = [
            Reason(f.kind.verdict, f.kind.title, f.kind.code, f.place)
            for f in local
            if any(view.covers(place) for place in (f.place, *f.also) if place)
            or (f.kind is (SOCKET if address.urlconf else BARE) and f.said == misplaced(address))
        ]
        if address.websocket:
            if _threaded(view.target):
                reasons.append(
                    Reason(COST, "The consumer is synchronous: each event takes a thread.")
                )
        elif not view.asynchronous:
            reasons.append(Reason(COST, "The view is synchronous: each request takes a thread."))
        elif middleware:
            said = f"Middleware holds a thread while the view waits: {', '.join(middleware)}."
            reasons.append(Reason(COST, said))
        verdicts.append(Assessment(address, _distinct(reasons)))
    return verdicts


def _threaded(consumer: Any) -> bool:
    return any(base.__name__ == "SyncConsumer" for base in getattr(consumer, "__mro__", ()))


def _distinct(reasons: list[Reason]) -> list[Reason]:
    return list(dict.fromkeys(reasons))
