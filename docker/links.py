"""Refuse a release with a link that leads out of it: ``links.py FOLDER``.

Root copies a release's files, and with a link would copy what it leads to on the machine where
that happens.  An absolute link leads out too: a release is unpacked under another name.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def outside(folder: Path) -> str | None:
    """Return the first link, by its path in ``folder``, that leads out of it, and where to."""
    root = folder.resolve()
    for here, folders, files in os.walk(root):
        for name in sorted([*folders, *files]):
            path = Path(here, name)
            if not path.is_symlink():
                continue
            target = path.readlink()
            # Without strict, a loop of links is the last of them: it is in here or it is not.
            if target.is_absolute() or not Path(os.path.realpath(path)).is_relative_to(root):
                return f"{str(path.relative_to(root))!r} is a link to {str(target)!r}"
    return None


if __name__ == "__main__" and (found := outside(Path(sys.argv[1]))):
    sys.exit(f"tandem: {found}, out of the release; put a file there, or nothing.")
