"""``python -m tandem`` and the script ``tandem``: the operator's command."""

from __future__ import annotations

import sys

from tandem.ops.commands import main

if __name__ == "__main__":
    sys.exit(main())
