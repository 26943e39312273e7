"""Access logs as the edge writes them (deploy/nginx/log.conf), line by line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tandem.facts import KINDS
from tandem.ops.bounded.documents import json_data

LONGEST = 1e9  # seconds
LAST = 4e9  # in 2096
# The fields that are text; a number in quotes is nginx's as well.
TEXTS = (
    "time", "upstream", "route", "method", "path", "arm", "share", "forced", "fallback", "client",
    "agent", "upstream_status", "header_seconds",
)  # fmt: skip
LONGEST_TEXT = 20_000  # nginx takes no longer address
ANSWERERS = (*KINDS, "edge")
WEBSOCKET_STATUS = 101


@dataclass(slots=True)
class LoggedRequest:
    """One answered request, or a WebSocket that has ended."""

    ended: float  # seconds since the epoch
    zone: datetime  # the same, with the log's own offset
    route: str
    side: str  # of ANSWERERS, or "other"
    status: int
    seconds: float
    header_seconds: float | None  # until the upstream's first byte; None: no upstream said
    retried: bool  # several instances were asked
    method: str
    path: str
    # Empty where the route has no share:
    arm: str
    share: str
    forced: str
    fallback: str
    client: str  # address and browser

    @property
    def began(self) -> float:
        """When the request came, in seconds since the epoch."""
        return self.ended - self.seconds


def is_copy(line: bytes) -> bool:
    """Tell whether a line is of a mirrored request: no user waited for it."""
    return b'"shadow"' in line


class Reader:
    """Turns lines into entries; remembers the last second, which many lines share."""

    def __init__(self) -> None:
        self._text = ""
        self._time = datetime.min
        self._stamp = 0.0

    def entry(self, line: bytes) -> LoggedRequest | None:
        """Return what ``line`` says, or None for one that is not of our format."""
        try:
            # Compose clears the terminal's line first, also where there is none.
            text = line.removeprefix(b"\x1b[2K").decode(errors="replace")
            fields = json_data(text)
            if not all(_plain(fields.get(name, "")) for name in TEXTS):
                return None
            if fields["time"] != self._text:
                # Without an offset it would depend on where this runs: not our format.
                time = datetime.fromisoformat(fields["time"])
                if time.tzinfo is None:
                    return None
                self._text, self._time, self._stamp = fields["time"], time, time.timestamp()
            side = fields["upstream"].partition("@")[0]
            seconds, status = float(fields["seconds"]), int(fields["status"])
            if not (0 <= seconds < LONGEST and 0 < self._stamp < LAST and 0 <= status < 1000):
                return None  # NaN as well
            get = fields.get
            return LoggedRequest(
                self._stamp,
                self._time,
                str(fields["route"]) or "(none)",
                side if side in ANSWERERS else "other",
                status,
                seconds,
                _last_number(get("header_seconds")),
                # "502 : 200": the other side was asked, after the colon.
                "," in get("upstream_status", "").rpartition(":")[2],
                str(get("method", "")),
                str(get("path", "")),
                str(get("arm", "")),
                str(get("share", "")),
                str(get("forced", "")),
                str(get("fallback", "")),
                f"{get('client', '')} {get('agent', '')}",
            )
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            return None


def _plain(value: object) -> bool:
    """Tell whether a value is text that can be printed again: no half characters, no NUL."""
    return (
        isinstance(value, str)
        and len(value) < LONGEST_TEXT
        and not any("\ud800" <= one <= "\udfff" or one == "\0" for one in value)
    )


def _last_number(text: object) -> float | None:
    """Return 0.2 of "0.1, 0.2" or "0.1 : 0.2": the instance that answered."""
    if not isinstance(text, str) or not text:
        return None
    try:
        seconds = float(text.replace(":", ",").rpartition(",")[2])
        return seconds if 0 <= seconds < LONGEST else None
    except ValueError:  # "-": no header came
        return None
