"""The arguments of ``tandem compare``."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

from tandem.ops.compare.sources import EXCLUDED
from tandem.ops.routes.force import variable


def parser(description: str | None) -> argparse.ArgumentParser:
    """Return the parser."""
    made = argparse.ArgumentParser(
        prog="tandem compare",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _what(made.add_argument_group("what to ask for"))
    _where(made.add_argument_group("whom to ask"))
    _session(made.add_argument_group("as whom"))
    _rules(made.add_argument_group("what to overlook"))
    _limits(made.add_argument_group("how much"))
    output = made.add_argument_group("what to print")
    output.add_argument("--format", choices=("text", "json"), default="text")
    output.add_argument("--quiet", action="store_true", help="only what is not the same")
    output.add_argument(
        "--diff-lines", type=_whole(0, 10_000), default=40, metavar="N",
        help="of each body (default: %(default)s)",
    )  # fmt: skip
    return made


def _what(group: argparse._ArgumentGroup) -> None:
    source = group.add_mutually_exclusive_group()
    source.add_argument(
        "urls", nargs="?", metavar="LIST",
        help="file with a path or address in each line; - or nothing: standard input",
    )  # fmt: skip
    source.add_argument("--crawl", metavar="START", help="follow links from this path")
    source.add_argument(
        "--log", action="append", metavar="LOG",
        help="access log, also .gz or -: its GET, HEAD, OPTIONS requests (no query strings)",
    )  # fmt: skip
    group.add_argument("--assets", action="store_true", help="crawl: scripts, styles, images, too")
    group.add_argument(
        "--exclude", default=EXCLUDED, metavar="REGEX",
        help="crawl: not these paths (default: %(default)s)",
    )  # fmt: skip
    group.add_argument("--every", action="store_true", help="the same address as often as it comes")
    group.add_argument(
        "--unsafe-methods", action="store_true",
        help="list: send POST and others, too, without a body and to BOTH sides",
    )  # fmt: skip


def _where(group: argparse._ArgumentGroup) -> None:
    address = "http://host:port, https://host:port or unix:/path"
    group.add_argument("--edge", metavar="URL", help="the site (default: the replica)")
    for side in ("wsgi", "asgi"):
        name = variable(side)
        group.add_argument(
            f"--force-token-{side}", default=os.environ.get(name), metavar="TOKEN",
            help=f"makes the edge choose {side} (default: {name})",
        )  # fmt: skip
    group.add_argument("--wsgi", metavar="ADDRESS", help=f"directly, past the edge: {address}")
    group.add_argument("--asgi", metavar="ADDRESS", help="the same")
    group.add_argument("--host", metavar="NAME", help="the Host header, and whose links to follow")
    group.add_argument(
        "--also-host", action="append", default=[], metavar="NAME",
        help="another name of the same site, in lists and links",
    )  # fmt: skip
    group.add_argument("--ca", metavar="FILE", help="certificate authority of the site")
    group.add_argument(
        "--insecure", action="store_true",
        help="do not check the certificate (never checked on this machine's own addresses)",
    )  # fmt: skip


def _session(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--cookie", action="append", default=[], metavar="NAME=VALUE")
    group.add_argument("--login", metavar="PATH", help="log in with the form there, at wsgi")
    group.add_argument("--user", metavar="NAME")
    group.add_argument("--password-file", type=Path, metavar="FILE")
    group.add_argument(
        "--header", action="append", default=[], type=_header, metavar="NAME:VALUE",
        help="sent to both sides",
    )  # fmt: skip


def _rules(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--ignore-header", action="append", default=[], metavar="NAME")
    group.add_argument(
        "--ignore-pattern", action="append", default=[], metavar="REGEX",
        help="what it matches in bodies and headers is taken for equal",
    )  # fmt: skip
    group.add_argument(
        "--rules", type=Path, metavar="FILE",
        help="YAML: ignore-headers, ignore-patterns, compare-headers (default: deploy/compare.yml)",
    )  # fmt: skip


def _limits(group: argparse._ArgumentGroup) -> None:
    for name, kind, usual, words in (
        ("--limit", _whole(1, 100_000), 100, "addresses"),
        ("--repeat", _whole(1, 99), 3, "times each is asked for, on both sides"),
        ("--concurrency", _whole(1, 16), 2, "addresses at a time"),
        ("--timeout", _whole(1, 600), 30, "seconds for an answer"),
        ("--time-limit", _whole(1, 86_400), 300, "seconds for everything"),
        ("--body-limit", _whole(1, 1 << 30), 2 << 20, "bytes of a body that are read"),
    ):
        group.add_argument(
            name, type=kind, default=usual, metavar="N", help=f"{words} (default: %(default)s)"
        )


def _whole(low: int, high: int) -> Callable[[str], int]:
    """Return a converter of whole numbers between two bounds."""

    def convert(text: str) -> int:
        if not text.isdecimal() or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from {low} to {high}")
        return int(text)

    return convert


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is no header; write 'Name: value'")
    return name.strip(), value.strip()
