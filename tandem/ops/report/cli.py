"""Tell from the access logs how each route does on each side, and whether a canary is good."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from tandem.facts import ROUTES_FAILED as FAILED
from tandem.ops.report import logsource, page, table
from tandem.ops.report.figures import Figures, Selection
from tandem.ops.report.gate import Limits
from tandem.ops.report.summary import Report, summarise
from tandem.ops.routes import model
from tandem.ops.routes.arguments import Parser
from tandem.ops.routes.site import enter
from tandem.ops.routes.target import Target, TargetError
from tandem.ops.routes.verdict import Verdict

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 24 * 3600}


def main(arguments: list[str]) -> int:
    """Run ``tandem routes report``; return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        figures = _read(options)
        report = summarise(figures, _limits(options), datetime.now().astimezone())
        _print(report, options)
    except logsource.LogSourceError as error:
        print(f"tandem routes report: {error}", file=sys.stderr)
        return FAILED
    except (ArithmeticError, ValueError, RecursionError, MemoryError) as error:
        # Python's own status for these would be the one of *worse*.
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        print(f"tandem routes report: these logs cannot be judged: {said}", file=sys.stderr)
        return FAILED
    except BrokenPipeError:  # the reader, less or head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    return _gate(report) if options.gate else 0


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="tandem routes report", description=__doc__)
    parser.add_argument(
        "logs", nargs="*", metavar="LOG",
        help="access log, also .gz; - is standard input (default: this server's, or the replica's)",
    )  # fmt: skip
    parser.add_argument(
        "--inventory", type=Path, action="append", default=[], metavar="FILE",
        help="the logs of the edges of these servers",
    )  # fmt: skip
    when = parser.add_argument_group("what to look at")
    when.add_argument("--since", type=_time, metavar="TIME", help="ISO 8601, local by default")
    when.add_argument("--until", type=_time, metavar="TIME", help="the same")
    when.add_argument("--last", type=_span, metavar="SPAN", help="until now: 90s, 15m, 2h, 1d")
    when.add_argument("--route", action="append", default=[], metavar="PATH", help="only this one")
    when.add_argument(
        "--routes-file", type=Path, metavar="FILE",
        help="tells which routes are event streams (default: the site's, if there is one)",
    )  # fmt: skip
    output = parser.add_argument_group("what to print")
    output.add_argument("--format", choices=("table", "json", "html"), default="table")
    output.add_argument("--output", type=Path, metavar="FILE", help="instead of the terminal")
    gate = parser.add_argument_group("judging a canary")
    gate.add_argument(
        "--gate", action="store_true",
        help="exit 0 if it is not worse, 1 if it is, 2 if it is too early to tell",
    )  # fmt: skip
    usual = Limits()
    gate.add_argument(
        "--tolerance", type=_number(1, 10), default=usual.tolerance, metavar="X",
        help="p95 may be so many times the baseline's (default: %(default)s)",
    )  # fmt: skip
    gate.add_argument(
        "--margin", type=_number(0, 0.2), default=usual.margin, metavar="SHARE",
        help="the share of errors may be higher by this (default: %(default)s)",
    )  # fmt: skip
    gate.add_argument(
        "--confidence", type=_number(0.5, 0.9999), default=usual.confidence, metavar="P",
        help="a good one passes with this probability (default: %(default)s)",
    )  # fmt: skip
    gate.add_argument(
        "--min-requests", type=_count, default=usual.min_requests, metavar="N",
        help="of each side, however clear it is (default: %(default)s)",
    )  # fmt: skip
    return parser


def _read(options: argparse.Namespace) -> Figures:
    since = options.since
    if options.last is not None:
        since = max(since or 0.0, time.time() - options.last)
    selection = Selection(since, options.until, frozenset(options.route), _streams(options))
    figures = Figures(selection)
    with _logs(options, since) as names:
        for name in names:
            for number, line in enumerate(logsource.lines(name, since), 1):
                figures.add_line(line, name, number)
    return figures


@contextmanager
def _logs(options: argparse.Namespace, since: float | None) -> Iterator[list[str]]:
    """Give the names of the logs to read.  Raises ``LogSourceError``."""
    if not options.inventory:
        yield options.logs or logsource.default()
        return
    if options.logs:
        raise logsource.LogSourceError("logs and an inventory were named; name one of them")
    try:
        with Target(tuple(options.inventory)).logs(since) as names:
            yield names
    except TargetError as error:
        raise logsource.LogSourceError(str(error)) from None


def _streams(options: argparse.Namespace) -> frozenset[str]:
    """Return the routes whose answers stay open."""
    file = options.routes_file or enter()
    if options.routes_file is None and not file.exists():
        return frozenset()
    try:
        routes = model.load(file)
    except model.RoutesError as error:
        raise logsource.LogSourceError(str(error)) from None
    return frozenset(route.path for route in routes if route.mode == "sse")


def _limits(options: argparse.Namespace) -> Limits:
    return Limits(options.tolerance, options.margin, options.confidence, options.min_requests)


def _print(report: Report, options: argparse.Namespace) -> None:
    match options.format:
        case "json":
            text = json.dumps(report, ensure_ascii=False, indent=2) + "\n"
        case "html":
            text = page.render(report)
        case _:
            text = table.render(report)
    if options.output is None:
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    try:
        options.output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise logsource.LogSourceError(f"{options.output}: {error.strerror}") from None


def _gate(report: Report) -> int:
    """Print each verdict on stderr; return the worst as exit status."""
    verdicts = {Verdict(canary["gate"]["exit_status"]) for canary in report["canaries"]}
    for canary in report["canaries"]:
        gate = canary["gate"]
        word = table.VERDICTS[gate["verdict"]]
        print(f"gate: {canary['route']}: {word}: {gate['reason']}", file=sys.stderr)
    if not verdicts:
        print("gate: too early to tell: no request of a route with a share", file=sys.stderr)
    for verdict in (Verdict.WORSE, Verdict.UNKNOWN, Verdict.GOOD):
        if verdict in verdicts:
            return int(verdict)
    return int(Verdict.UNKNOWN)


def _time(text: str) -> float:
    try:
        return datetime.fromisoformat(text).astimezone().timestamp()
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time; write it as 2026-11-24T15:00 or 2026-11-24T15:00:00+01:00"
        ) from None


def _span(text: str) -> float:
    found = re.fullmatch(r"(\d{1,9})([smhd])", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is no time span; write 90s, 15m, 2h or 1d")
    return float(found[1]) * UNITS[found[2]]


def _number(low: float, high: float) -> Callable[[str], float]:
    """Return a converter of numbers between two bounds."""

    def convert(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is not between {low} and {high}")
        return value

    return convert


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return int(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
