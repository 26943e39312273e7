"""What a case is, and the list of all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from tests.conformance.endpoint import Profile
from tests.conformance.peer import Peer

Run = Callable[[Peer], Awaitable[None]]
Suits = Callable[[Profile], bool]
R = TypeVar("R", bound=Run)


def everywhere(profile: Profile) -> bool:
    """Suits every endpoint."""
    return True


def echoing(profile: Profile) -> bool:
    """Suits endpoints that echo text."""
    return profile.echo is not None


def echoing_binary(profile: Profile) -> bool:
    """Suits endpoints that echo bytes."""
    return profile.echoes_binary


def talking(profile: Profile) -> bool:
    """Suits endpoints with an answer that is known."""
    return profile.says is not None


def guarded(profile: Profile) -> bool:
    """Suits endpoints that check the Origin."""
    return profile.checks_origin


@dataclass(frozen=True)
class Case:
    """One promise of RFC 6455, with the section that makes it."""

    id: str  # the section, and the promise: 5.5.2-ping-is-answered
    run: Run
    opened: bool  # it begins with an open WebSocket, otherwise with a TCP connection
    suits: Suits


CASES: list[Case] = []


def add(name: str, run: Run, *, opened: bool = True, suits: Suits = everywhere) -> None:
    """Add a case."""
    assert all(case.id != name for case in CASES), f"{name} is there twice"
    CASES.append(Case(name, run, opened, suits))


def case(name: str, *, opened: bool = True, suits: Suits = everywhere) -> Callable[[R], R]:
    """Make the function a case."""

    def decorate(run: R) -> R:
        add(name, run, opened=opened, suits=suits)
        return run

    return decorate
