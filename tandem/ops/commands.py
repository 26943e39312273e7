"""The ``tandem`` command: ``tandem COMMAND …``, each command a module of its own."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

from tandem.extras import MissingError, needed
from tandem.facts import FAILED, FINE, FOUND
from tandem.ops.checkout.programs import missing_checkout

# Imported only when asked for: each has main(arguments), which returns the exit status, and
# a docstring whose first line is its help.
COMMANDS: dict[str, str] = {
    "adopt": "tandem.ops.asking.cli",
    "check": "tandem.ops.checks.cli",
    "routes": "tandem.ops.routes.cli",
    "compare": "tandem.ops.compare.cli",
    "replica": "tandem.ops.replica.cli",
    "release": "tandem.ops.release.cli",
    "servers": "tandem.ops.servers.cli",
}
# Not where the command is installed without a checkout.
OF_CHECKOUT = ("replica", "release", "servers")
# What is a command of a command, and has a room of its own.
PARTS: dict[tuple[str, str], str] = {("routes", "report"): "tandem.ops.report.cli"}


def main() -> int:
    """Run the command that the command line names."""
    try:
        return _main()
    except MissingError as error:
        print(error, file=sys.stderr)
        return 2


def _main() -> int:
    name, *arguments = sys.argv[1:] or ["help"]
    if arguments and (name, arguments[0]) in PARTS:
        module = _module(PARTS[name, arguments[0]])
        return _run(name, module, arguments[1:])
    if name in OF_CHECKOUT and (sentence := missing_checkout()):
        print(f"tandem: {sentence}", file=sys.stderr)
        return FOUND
    if name in COMMANDS:
        return _run(name, _module(COMMANDS[name]), arguments)
    width = max(map(len, COMMANDS), default=0)
    lines = [f"  {command:{width}}  {_about(module)}" for command, module in COMMANDS.items()]
    usage = "\n".join(["usage: tandem COMMAND …; tandem COMMAND --help tells more", *lines])
    if name in ("help", "-h", "--help"):
        print(usage)
        return FINE
    print(f"tandem: there is no command {name!r}.\n{usage}", file=sys.stderr)
    return FAILED


def _run(name: str, module: ModuleType, arguments: list[str]) -> int:
    """Run a command; what it did not expect is one sentence, and no verdict of its own."""
    try:
        return int(module.main(arguments))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader, less or head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:
        if "TANDEM_DEBUG" in os.environ:
            raise
        said = " ".join(f"{type(error).__name__}: {error}".split())[:500]
        said = said.encode(errors="backslashreplace").decode()
        print(f"tandem: {name} cannot go on ({said}); TANDEM_DEBUG=1 shows where.", file=sys.stderr)
    return int(getattr(module, "FAILED", FAILED))


def _about(name: str) -> str:
    """Return the first line of a module's docstring; what it imports need not be there."""
    spec = importlib.util.find_spec(name)
    source = Path(spec.origin).read_text() if spec and spec.origin else ""
    return (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]


def _module(name: str) -> ModuleType:
    with needed("ops"):
        return importlib.import_module(name)
