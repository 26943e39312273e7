"""The ``tandem`` command: ``tandem COMMAND …``, each command a module of its own."""

from __future__ import annotations

import importlib
import sys

# Imported only when asked for: each has main(arguments), which returns the exit status, and
# a docstring whose first line is its help.
COMMANDS: dict[str, str] = {
    "adopt": "tandem.adopt.cli",
    "check": "tandem.checks.cli",
    "routes": "tandem.routes.cli",
    "compare": "tandem.compare.cli",
}


def main() -> int:
    """Run the command that the command line names."""
    name, *arguments = sys.argv[1:] or ["help"]
    if name in COMMANDS:
        return int(importlib.import_module(COMMANDS[name]).main(arguments))
    width = max(map(len, COMMANDS), default=0)
    lines = [
        f"  {command:{width}}  {(importlib.import_module(module).__doc__ or '').splitlines()[0]}"
        for command, module in COMMANDS.items()
    ]
    usage = "\n".join(["usage: tandem COMMAND …; tandem COMMAND --help tells more", *lines])
    if name in ("help", "-h", "--help"):
        print(usage)
        return 0
    print(f"tandem: there is no command {name!r}.\n{usage}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
