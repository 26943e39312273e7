"""Lines as deploy/nginx/log.conf writes them, for the tests of the report."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
LINE = {
    "time": START.isoformat(), "id": "0" * 32, "client": "192.0.2.1", "method": "GET",
    "host": "example.org", "path": "/", "protocol": "HTTP/2.0", "status": 200, "bytes": 512,
    "seconds": 0.010, "route": "/", "upstream": "wsgi@1",
    "upstream_address": "unix:/run/tandem/wsgi@1.sock", "upstream_status": "200",
    "connect_seconds": "0.000", "header_seconds": "0.010", "upstream_seconds": "0.010",
    "release": "r1", "tls": "TLSv1.3", "referer": "", "agent": "Mozilla/5.0", "arm": "",
    "share": "", "forced": "", "fallback": "",
}  # fmt: skip


def line(after: float = 0, **fields: Any) -> str:
    """Return a line written so many seconds after START."""
    time = (START + timedelta(seconds=after)).isoformat(timespec="seconds")
    return json.dumps(LINE | {"time": time} | fields) + "\n"


def clients(share: float, count: int, asked: str = "10", **fields: Any) -> list[str]:
    """Return a request of each client, of which ``share`` are on the canary."""
    rng = random.Random(3)
    return [
        line(client=f"2001:db8::{n:x}", route="/a/", share=asked,
             arm="asgi" if rng.random() < share else "wsgi", **fields)
        for n in range(count)
    ]  # fmt: skip
