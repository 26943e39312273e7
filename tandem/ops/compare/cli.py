"""Ask both upstreams for the same pages, and tell where their answers differ.

Exit status: 0 all the same, 1 differences, 2 it could not be told (wrong arguments, a side that
cannot be reached, nothing to compare), 3 a token by which the edge would choose is wrong.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from tandem.facts import FAILED, FINE, FOUND
from tandem.ops.bounded.files import read_text
from tandem.ops.compare import login, render, rules
from tandem.ops.compare.client import Address, AddressError, RequestLimits, Side, UnreachableError
from tandem.ops.compare.difference import Outcome, Result
from tandem.ops.compare.options import parser
from tandem.ops.compare.replay import Replay
from tandem.ops.compare.sources import Chosen, Crawl, Source, SourceError, listed, logged
from tandem.ops.report import logsource
from tandem.ops.routes import force, site
from tandem.ops.routes.target import Target, TargetError

REFUSED = 3
EDGE = "/health/edge/"
RULES = Path("deploy/compare.yml")


class TokenError(Exception):
    """A token does not force its side; the message says where and what prints the right one."""


class UsageError(Exception):
    """The arguments do not go together; the message says what is missing."""


def main(arguments: list[str]) -> int:
    """Run ``tandem compare``; return the exit status."""
    options = parser(__doc__).parse_args(arguments)
    try:
        return _compare(options)
    except (
        UsageError,
        AddressError,
        UnreachableError,
        SourceError,
        login.LoginError,
        rules.RulesError,
        logsource.LogSourceError,
        TargetError,
    ) as error:
        print(f"tandem compare: {error}", file=sys.stderr)
        return FAILED
    except TokenError as error:
        print(f"tandem compare: {error}", file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader, less or head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def _compare(options: argparse.Namespace) -> int:
    wsgi, asgi, host = sides(options)
    hosts = frozenset({host, host.partition(":")[0], *options.also_host})
    source = _source(options, hosts)
    overlooked = _rules(options)  # before anything is sent
    if not options.wsgi:
        for side in (wsgi, asgi):
            _known(side)
    cookies = _session(options, wsgi, host)
    if cookies:
        for side in (wsgi, asgi):
            side.headers = {**side.headers, "Cookie": login.header(cookies)}
    replay = Replay(
        wsgi,
        asgi,
        overlooked,
        list(cookies.values()),
        options.repeat,
        options.concurrency,
        options.limit,
        options.time_limit,
    )
    found: dict[int, Result] = {}
    kinds: dict[str, str] = {}  # of differences, and where each was shown
    shown = options.format == "text"
    if shown:
        print(render.HEADING)
    for place, result in replay.run(source):
        found[place] = result
        if shown and not (options.quiet and result.verdict is Outcome.SAME):
            like = ""
            if result.verdict is Outcome.DIFFERENT:
                like = kinds.setdefault(result.kind, result.path)
                like = "" if like == result.path else like
            print(render.text(result, options.diff_lines, like), flush=True)
    results = [found[place] for place in sorted(found)]
    if shown:
        print(render.totals(results, replay.left_out))
    else:
        asked = {side.name: side.address.text for side in (wsgi, asgi)}
        print(json.dumps(render.data(results, asked, replay.left_out), indent=2))
    verdicts = {result.verdict for result in results}
    if Outcome.DIFFERENT in verdicts:
        return FOUND
    return FINE if verdicts == {Outcome.SAME} else FAILED


def sides(options: argparse.Namespace) -> tuple[Side, Side, str]:
    """Return both sides, and the name by which the site is asked for."""
    if bool(options.wsgi) != bool(options.asgi):
        raise UsageError("--wsgi and --asgi go together: the address of each side")
    tokens = {"wsgi": options.force_token_wsgi, "asgi": options.force_token_asgi}
    direct = {"wsgi": options.wsgi, "asgi": options.asgi} if options.wsgi else None
    if direct and options.edge:
        raise UsageError("give either --edge or --wsgi and --asgi, not all of them")
    edge = options.edge or _replica()
    if not direct and not edge:
        raise UsageError("give the site's address: --edge https://example.org")
    if not direct and not all(tokens.values()):
        tokens = _own_tokens(edge) | {side: token for side, token in tokens.items() if token}
    limits = RequestLimits(options.timeout, options.body_limit)
    made = []
    host = options.host
    for name in ("wsgi", "asgi"):
        text = direct[name] if direct else edge
        address = Address.parse(text, options.insecure, options.ca)
        host = host or (_own_host() if direct else urlsplit(text).netloc)
        headers = {
            "Host": host,
            "User-Agent": "tandem-compare",
            "Accept": "text/html,application/json;q=0.9,*/*;q=0.8",
            "Accept-Encoding": "identity",
        }
        if direct:  # as deploy/nginx/snippets/proxy.conf would
            headers |= {"X-Forwarded-Proto": "https", "X-Forwarded-For": "127.0.0.1"}
        else:
            headers[force.HEADER] = _token(name, tokens[name])
        made.append(Side(name, address, headers | dict(options.header), limits))
    return made[0], made[1], host


def _own_tokens(edge: str) -> dict[str, str]:
    """Return the replica's tokens, as ``tandem routes force`` gets them.

    Raises ``UsageError`` where another site is asked, and ``TargetError``.
    """
    if edge.rstrip("/") != _replica():
        raise UsageError(
            "through the edge each side must be forced: 'tandem routes force --export' prints"
            " the tokens; or ask the sides directly with --wsgi and --asgi"
        )
    site.mean()
    return Target().tokens()


def _token(side: str, text: str) -> str:
    """Return a token as it is sent.  Raises ``TokenError`` for what can be none for the side."""
    if force.forces(text.strip()) != side:
        raise TokenError(
            f"what was given as the token for {side} is none; 'tandem routes force' prints it"
        )
    return text.strip()


def _known(side: Side) -> None:
    """Ask the edge whether it knows a side's token: with a wrong one WSGI would answer for both.

    Raises ``TokenError``, ``UnreachableError``, and ``UsageError`` where it does not answer.
    """
    answer = side.ask("GET", EDGE)
    if answer.error:
        raise UsageError(f"{side.address.text}{EDGE}: {answer.error}")
    if answer.header(force.TOLD.lower()) != side.name:
        raise TokenError(
            f"{side.address.text} does not know the token for {side.name};"
            " 'tandem routes force' prints those of a site"
        )


def _own_host() -> str:
    """Return the name that an upstream's ALLOWED_HOSTS has first."""
    return os.environ.get("SERVER_NAMES", "localhost").partition(",")[0].strip()


def _replica() -> str:
    """Return the replica's address, from the one home of its port; nothing outside a checkout."""
    try:
        settings = Path(".env").read_text()
    except OSError:
        settings = ""
    port = re.search(r"^HTTPS_PORT=(\d+)", settings, re.MULTILINE)
    number = os.environ.get("HTTPS_PORT") or (port[1] if port else "")
    return f"https://localhost:{number}" if number else ""


def _rules(options: argparse.Namespace) -> rules.Rules:
    found = rules.Rules()
    if options.rules or RULES.exists():
        found = rules.load(options.rules or RULES, found)
    return found.extended(options.ignore_header, options.ignore_pattern)


def _session(options: argparse.Namespace, side: Side, host: str) -> dict[str, str]:
    """Return the cookies to send, after logging in at the WSGI side if asked."""
    cookies: dict[str, str] = {}
    for text in options.cookie:
        cookies |= login.parse(text)
    if not options.login:
        return cookies
    if not options.user or not options.password_file:
        raise UsageError("--login needs --user and --password-file")
    try:
        password = read_text(options.password_file).strip("\n")
    except OSError as error:
        raise UsageError(f"{options.password_file}: {error.strerror}") from None
    scheme = "http" if side.address.scheme == "http" and not options.wsgi else "https"
    path = urlsplit(options.login).path or "/"
    try:
        return cookies | login.log_in(side, path, options.user, password, f"{scheme}://{host}")
    finally:
        side.close()


def _source(options: argparse.Namespace, hosts: frozenset[str]) -> Source:
    if options.crawl:
        try:
            excluded = re.compile(options.exclude, re.IGNORECASE)
        except (re.error, OverflowError, RecursionError) as error:
            raise UsageError(f"--exclude: {options.exclude!r} is no pattern: {error}") from None
        return Crawl(options.crawl, hosts, options.assets, excluded)
    if options.log:
        lines = itertools.chain.from_iterable(map(logsource.lines, options.log))
        return Chosen(logged(lines), options.every)
    name = options.urls or "-"
    # Read to its end first: a mistake in the last line is told before anything is sent.
    requests = list(
        itertools.islice(
            listed(_texts(name), name, hosts, options.unsafe_methods), options.limit * 100
        )
    )
    return Chosen(iter(requests), options.every)


def _texts(name: str) -> Iterator[str]:
    decode: Callable[[bytes], str] = lambda line: line.decode(errors="replace")  # noqa: E731
    return map(decode, logsource.lines(name))
