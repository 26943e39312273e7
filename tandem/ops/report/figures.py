"""Add up the entries of access logs, by route and side; memory does not grow with the log."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from tandem.ops.report.accesslog import WEBSOCKET_STATUS, LoggedRequest, Reader, is_copy
from tandem.ops.report.arms import Canary
from tandem.ops.report.quantiles import Sketch
from tandem.ops.report.timeline import Scale, Timeline


@dataclass(frozen=True)
class Selection:
    """Which entries count; times in seconds since the epoch."""

    since: float | None = None
    until: float | None = None
    routes: Collection[str] = ()  # none: all
    streams: Collection[str] = ()  # routes of event streams, whose answers do not end


@dataclass
class Held:
    """WebSockets, or event streams, of one row."""

    opened: int = 0
    closed: int = 0
    open_at_end: int = 0
    durations: Sketch = field(default_factory=Sketch)
    longest: float = 0.0  # seconds


@dataclass
class Row:
    """A route on one side."""

    timeline: Timeline
    requests: int = 0
    server_errors: int = 0
    client_errors: int = 0
    retries: int = 0
    fallbacks: int = 0  # requests that this side failed to answer and the other did
    forced: int = 0
    times: Sketch = field(default_factory=Sketch)
    websockets: Held = field(default_factory=Held)
    streams: Held = field(default_factory=Held)


@dataclass
class Figures:
    """All that was added up."""

    selection: Selection = field(default_factory=Selection)
    rows: dict[tuple[str, str], Row] = field(default_factory=dict)
    canaries: dict[tuple[str, str], Canary] = field(default_factory=dict)
    scale: Scale = field(default_factory=Scale)
    read: int = 0
    broken: int = 0
    outside: int = 0
    first_broken: str = ""  # file:line
    first: datetime | None = None  # of the entries that count
    last: datetime | None = None
    seen_first: datetime | None = None  # of all entries
    seen_last: datetime | None = None
    _reader: Reader = field(default_factory=Reader)

    def add_line(self, line: bytes, where: str, number: int) -> None:
        """Count a line, or count it as broken."""
        if not line.strip() or is_copy(line):
            return
        self.read += 1
        entry = self._reader.entry(line)
        if entry is None:
            self.broken += 1
            self.first_broken = self.first_broken or f"{where}:{number}"
        else:
            self.add(entry)

    def add(self, entry: LoggedRequest) -> None:
        """Count an entry, if the selection has it."""
        chosen = self.selection
        self.seen_first, self.seen_last = _widened(self.seen_first, self.seen_last, entry.zone)
        if chosen.routes and entry.route not in chosen.routes:
            self.outside += 1
            return
        held = self._held(entry)
        if chosen.until is not None and entry.ended > chosen.until:
            if held and entry.began <= chosen.until:
                held.open_at_end += 1
                held.opened += chosen.since is None or entry.began >= chosen.since
            self.outside += 1
            return
        if chosen.since is not None and entry.ended < chosen.since:
            self.outside += 1
            return
        self.first, self.last = _widened(self.first, self.last, entry.zone)
        self._count(entry, held)

    def row(self, route: str, side: str) -> Row:
        """Return the row of a route and side."""
        row = self.rows.get((route, side))
        if row is None:
            row = self.rows[route, side] = Row(Timeline(self.scale))
        return row

    def _held(self, entry: LoggedRequest) -> Held | None:
        """Return where to count what was held open, if anything was."""
        if entry.status == WEBSOCKET_STATUS:
            return self.row(entry.route, entry.side).websockets
        if entry.route in self.selection.streams and entry.status < 300:
            return self.row(entry.route, entry.side).streams
        return None

    def _count(self, entry: LoggedRequest, held: Held | None) -> None:
        row = self.row(entry.route, entry.side)
        row.requests += 1
        row.retries += entry.retried
        row.forced += bool(entry.forced)
        row.server_errors += entry.status >= 500
        row.client_errors += 400 <= entry.status < 500
        step = row.timeline.at(entry.ended)
        step.requests += 1
        step.errors += entry.status >= 500
        seconds: float | None = entry.seconds
        if held:
            since = self.selection.since
            held.opened += since is None or entry.began >= since
            held.closed += 1
            held.durations.add(entry.seconds)
            held.longest = max(held.longest, entry.seconds)
            # A stream is as quick as its first byte; a socket has no such time.
            seconds = None if entry.status == WEBSOCKET_STATUS else entry.header_seconds
        if seconds is not None:
            row.times.add(seconds)
            step.times.add(seconds)
        if entry.fallback:
            self.row(entry.route, "asgi").fallbacks += 1
        if entry.arm in ("asgi", "wsgi") and not entry.forced:
            canary = self.canaries.get((entry.route, entry.share))
            if canary is None:
                canary = Canary(entry.route, entry.share)
                self.canaries[entry.route, entry.share] = canary
            canary.add(entry, entry.seconds if seconds is None else seconds)

    def current(self) -> list[Canary]:
        """Return each route's canary at its latest share, by route.

        Requests at an earlier share came at another time, from other clients: they are
        no fair comparison.
        """
        latest: dict[str, Canary] = {}
        for canary in self.canaries.values():
            other = latest.get(canary.route)
            if other is None or canary.last >= other.last:
                latest[canary.route] = canary
        return [latest[route] for route in sorted(latest)]


def _widened(
    first: datetime | None, last: datetime | None, time: datetime
) -> tuple[datetime, datetime]:
    if first is None or last is None:
        return time, time
    return min(first, time), max(last, time)
