#!/usr/bin/env python3
"""Write the access log's lines since a moment to a .gz file, and print that file's name.

Usage: ``log-since.py [SECONDS]``, since the epoch; without it the whole of the log and of
the one before, which was rotated last.
"""

import gzip
import os
import sys
import tempfile
from datetime import datetime

LOG = "/var/log/nginx/tandem.json"
BEGINNING = b'{"time":"'  # as deploy/nginx/log.conf has it


def moment(line: bytes) -> float:
    """Return when a line was written, in seconds since the epoch; 0 for another line."""
    if not line.startswith(BEGINNING):
        return 0.0
    text = line[len(BEGINNING) : line.find(b'"', len(BEGINNING))]
    if text not in known:
        known.clear()  # many lines share a second
        try:
            known[text] = datetime.fromisoformat(text.decode()).timestamp()
        except ValueError:
            return 0.0
    return known[text]


known: dict[bytes, float] = {}
since = float(sys.argv[1]) if len(sys.argv) > 1 else 0.0
handle, name = tempfile.mkstemp(prefix="tandem-log-", suffix=".gz")
with (
    os.fdopen(handle, "wb") as file,
    gzip.GzipFile(fileobj=file, mode="wb", compresslevel=1) as out,
):
    for log in (f"{LOG}.1", LOG):
        if os.path.exists(log) and os.path.getmtime(log) >= since:
            with open(log, "rb") as lines:
                out.writelines(line for line in lines if moment(line) >= since)
print(name)
