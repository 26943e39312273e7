"""The two sides of a canary, in bounded memory, with what is needed to judge them fairly.

A share is a share of *clients*, and a client stays on its side; so its requests are not
independent, and one busy client must not pass for many.  Requests are therefore also counted
in groups of clients, whose scatter tells how much evidence there really is, and a
bottom-k sample of the distinct clients tells the share of clients itself.
"""

from __future__ import annotations

import hashlib
import heapq
from dataclasses import dataclass, field

from tandem.ops.report.accesslog import WEBSOCKET_STATUS, LoggedRequest
from tandem.ops.report.quantiles import Sketch

GROUPS = 64  # a power of two
SAMPLED_CLIENTS = 16384
# A client error that the site itself gives: not the edge's limits, nor a client that went away.
NOT_REFUSALS = (429, 499)


@dataclass(slots=True)
class Group:
    """The requests of some clients: about one in GROUPS."""

    requests: int = 0
    failures: int = 0  # answered 5xx, or by the fallback
    refusals: int = 0  # answered 4xx
    times: Sketch = field(default_factory=Sketch)


@dataclass
class Arm:
    """One side of a canary."""

    groups: dict[int, Group] = field(default_factory=dict)

    def add(self, client: int, status: int, fallback: bool, seconds: float) -> None:
        """Count a request; ``client`` is the hash of who sent it."""
        number = client & (GROUPS - 1)
        group = self.groups.get(number)
        if group is None:
            group = self.groups[number] = Group()
        group.requests += 1
        if status >= 500 or fallback:
            group.failures += 1
        elif status >= 400 and status not in NOT_REFUSALS:
            group.refusals += 1
        # Failures are judged by themselves: quick ones must not make the rest look quick.
        if status < 500 and status != WEBSOCKET_STATUS:
            group.times.add(seconds)

    def total(self, name: str) -> int:
        """Return the sum of a field of all groups."""
        return sum(getattr(group, name) for group in self.groups.values())

    def times(self) -> Sketch:
        """Return the durations of all groups."""
        whole = Sketch()
        for group in self.groups.values():
            whole.merge(group.times)
        return whole


@dataclass
class Clients:
    """A uniform sample of the distinct clients: those with the smallest hashes."""

    size: int = SAMPLED_CLIENTS
    seen: dict[int, set[str]] = field(default_factory=dict)  # hash: the arms it was on
    _largest: list[int] = field(default_factory=list)  # negated: a heap has the least first

    def add(self, client: int, arm: str) -> None:
        """Note that the client with this hash was on that arm."""
        arms = self.seen.get(client)
        if arms is not None:
            arms.add(arm)
        elif len(self.seen) < self.size:
            self.seen[client] = {arm}
            heapq.heappush(self._largest, -client)
        elif client < -self._largest[0]:
            del self.seen[-heapq.heapreplace(self._largest, -client)]
            self.seen[client] = {arm}

    @property
    def complete(self) -> bool:
        """Whether every client is in the sample."""
        return len(self.seen) < self.size

    def on(self, *arms: str) -> int:
        """Return how many sampled clients were on exactly these arms."""
        return sum(1 for seen in self.seen.values() if seen == set(arms))


@dataclass
class Canary:
    """A route at one share."""

    route: str
    share: str
    asgi: Arm = field(default_factory=Arm)
    wsgi: Arm = field(default_factory=Arm)
    clients: Clients = field(default_factory=Clients)
    last: float = 0.0  # seconds since the epoch

    def add(self, entry: LoggedRequest, seconds: float) -> None:
        """Count an entry that has an arm and was not forced."""
        digest = hashlib.blake2b(entry.client.encode(errors="replace"), digest_size=8).digest()
        client = int.from_bytes(digest, "big")
        arm = self.asgi if entry.arm == "asgi" else self.wsgi
        arm.add(client, entry.status, bool(entry.fallback), seconds)
        self.clients.add(client, entry.arm)
        self.last = max(self.last, entry.ended)

    @property
    def clients_are_known(self) -> bool:
        """Whether the log tells apart what the share was split by.

        Where most clients were on both sides, many stand behind one address and browser.
        """
        return 2 * self.clients.on("asgi", "wsgi") < len(self.clients.seen)
