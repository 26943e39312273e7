"""The answer of a site that is asked: a line of JSON for each thing, as soon as it is known."""

from __future__ import annotations

import json
import os
from typing import Any


class Told:
    """Writes the lines.  What the site prints itself goes where errors go."""

    def __init__(self) -> None:
        self._out = os.dup(1)
        self._process = os.getpid()
        os.dup2(2, 1)

    def line(self, kind: str, **facts: Any) -> None:
        """Write a line; whatever ends this process afterwards, it was said."""
        if os.getpid() != self._process:  # a child of the site's, that goes on as if it were us
            return
        left = json.dumps({"kind": kind, **facts}).encode() + b"\n"
        while left:
            left = left[os.write(self._out, left) :]
