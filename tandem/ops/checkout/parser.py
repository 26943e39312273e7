"""A parser of commands that each have a function ``run``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any


class Commands:
    """The commands of a command; ``options.run`` is the function of the one that is named."""

    def __init__(self, name: str, about: str | None, epilog: str) -> None:
        self.parser = argparse.ArgumentParser(
            prog=f"tandem {name}", description=about, epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )  # fmt: skip
        self._commands = self.parser.add_subparsers(
            dest="command", required=True, metavar="COMMAND"
        )

    def add(self, name: str, run: Callable[..., int | None], help_: str) -> argparse.ArgumentParser:
        """Add a command; return its parser."""
        about = f"{help_[0].upper()}{help_[1:]}."
        one = self._commands.add_parser(name, help=help_, description=about)
        one.set_defaults(run=run)
        return one

    def passed(
        self, name: str, run: Callable[..., int | None], help_: str, **defaults: Any
    ) -> argparse.ArgumentParser:
        """Add one of which whatever follows, options too, is for another program: ``words``."""
        one = self._commands.add_parser(name, help=help_, add_help=False, prefix_chars="\0")
        one.set_defaults(run=run, **defaults)
        one.add_argument("words", nargs="*")
        return one
