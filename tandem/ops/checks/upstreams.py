"""The site's settings as each upstream gets them, read in processes of their own.

Run as a program it prints them: ``python -m tandem.ops.checks.upstreams``.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Any

from tandem.adopted.pin import SETTINGS
from tandem.ops.checks.finding import Finding, kind
from tandem.ops.checks.site import Site

DIFFER = kind(
    "W003",
    "A setting differs between the upstreams",
    why="The same address then behaves differently by the server that happens to answer it.",
    cure="Let only how connections are kept (CONN_MAX_AGE, OPTIONS['pool']) depend on"
    " TANDEM_UPSTREAM.",
    cost="None.",
)
RANDOM_KEY = kind(
    "W004",
    "SECRET_KEY is another one in each process",
    why="Sessions and tokens signed by one server are refused by the next: visitors are logged"
    " out at random.",
    cure="Read it from a file or a variable that all processes share.",
    cost="None.",
)
DATABASE = kind(
    "W002",
    "Persistent database connections under ASGI",
    why="Threads come and go there, each keeps a connection, and the database runs out of them"
    " within seconds of load (Django's tickets 33497 and 32889).",
    cure="Under ASGI: CONN_MAX_AGE = 0, and on PostgreSQL OPTIONS = {'pool': {'max_size': 10}}.",
    cost="Without a pool, a new connection per request (1 to 5 ms); with one, none.",
)
TIMEOUT = kind(
    "I008",
    "No statement_timeout",
    why="A WSGI server may have ended long requests by killing their worker; nothing does so under"
    " ASGI, and a query that never ends keeps its thread and connection.",
    cure="OPTIONS = {'options': '-c statement_timeout=30000'}, or ALTER ROLE … SET"
    " statement_timeout.",
    cost="A query that takes longer fails.",
)

SECONDS = 60
ALLOWED = re.compile(r"DATABASES\.[^.]+\.(CONN_MAX_AGE|CONN_HEALTH_CHECKS|OPTIONS(\.pool.*)?)$")
ADDRESS = re.compile(r" at 0x[0-9a-f]+")


@cache
def snapshots(module: str) -> tuple[dict[str, str], dict[str, str], dict[str, str]] | None:
    """Return the settings of ``module`` under WSGI, WSGI again, and ASGI, or ``None``.

    Each maps a dotted name to a value, or to a digest of one that may be secret.  What differs
    between the first two is new in each process.
    """
    with ThreadPoolExecutor(3) as pool:
        ask = partial(_ask, module)
        wsgi, again, asgi = pool.map(ask, ("wsgi@1", "wsgi@1", "asgi@1"))
    if wsgi is None or again is None or asgi is None:
        return None
    return wsgi, again, asgi


def _ask(module: str, upstream: str) -> dict[str, str] | None:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": module,  # the site may have written another since
        "TANDEM_UPSTREAM": upstream,
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": os.pathsep.join(entry or os.getcwd() for entry in sys.path),
    }
    adopted = ["-m", "tandem.adopted.run"] if module == SETTINGS else []
    try:
        done = subprocess.run(
            [sys.executable, *adopted, "-m", "tandem.ops.checks.upstreams"], env=environment,
            capture_output=True, text=True, timeout=SECONDS, check=True,
        )  # fmt: skip
        # A site may print while it starts; the last line is ours.
        found: dict[str, str] = json.loads(done.stdout.strip().splitlines()[-1])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None
    return found


def check(site: Site) -> Iterator[Finding]:
    """Compare the upstreams' settings, and judge ASGI's database connections."""
    found = snapshots(site.running)
    if found is None:
        return
    wsgi, again, asgi = found
    if wsgi.get("SECRET_KEY") != again.get("SECRET_KEY"):
        yield Finding(RANDOM_KEY, site.setting("SECRET_KEY"), "Two processes got two keys.")
    for name in sorted(wsgi.keys() | asgi.keys()):
        if wsgi.get(name) == asgi.get(name) or wsgi.get(name) != again.get(name):
            continue
        if not ALLOWED.match(name):
            place = site.setting(name.split(".")[0], *name.split(".")[1:])
            yield Finding(DIFFER, place, f"{name} is not the same under WSGI and ASGI.")
    yield from databases(site, asgi)


def databases(site: Site, asgi: dict[str, str]) -> Iterator[Finding]:
    """Judge the databases' connections, by the settings under ASGI as ``flat`` gives them."""
    for alias in sorted({n.split(".")[1] for n in asgi if n.startswith("DATABASES.")}):
        about = f"DATABASES.{alias}"
        engine = asgi.get(f"{about}.ENGINE", "")
        age = asgi.get(f"{about}.CONN_MAX_AGE", "0")
        pooled = any(n.startswith(f"{about}.OPTIONS.pool") for n in asgi)
        if "sqlite" not in engine and age not in ("0", "False", "0.0") and not pooled:
            said = f"CONN_MAX_AGE of {alias!r} is {age} under ASGI, without a pool."
            yield Finding(DATABASE, site.setting("DATABASES", "CONN_MAX_AGE"), said)
        options = " ".join(v for n, v in asgi.items() if n.startswith(f"{about}.OPTIONS"))
        if "postg" in engine and "statement_timeout" not in options:
            place = site.setting("DATABASES")
            yield Finding(TIMEOUT, place, f"{alias!r} lets a statement run for ever.")


def flat(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Give the leaves of nested dictionaries under dotted names."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from flat(f"{name}.{key}", inner)
        return
    upstream = os.environ.get("TANDEM_UPSTREAM", "")
    if value and value in (upstream, upstream.partition("@")[0]):
        value = "the upstream"  # a setting may say where it is
    try:
        text = ADDRESS.sub("", repr(value))
    except Exception:  # objects of the site's own may need a site that has started
        text = type(value).__name__
    plain = (
        value is None
        or isinstance(value, bool | int | float)
        or re.search(r"(ENGINE|\.options)$", name)
    )
    # Never a secret into a pipe: a digest compares as well.
    yield name, text.strip("'\"") if plain else hashlib.sha256(text.encode()).hexdigest()


def main() -> None:
    """Print the settings of this process as JSON."""
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured

    values = {}
    for name in filter(str.isupper, dir(settings)):
        with contextlib.suppress(ImproperlyConfigured):  # an empty SECRET_KEY
            values[name] = getattr(settings, name)
    settings.USE_I18N = False  # texts to be translated are shown as they stand
    found = dict(leaf for name, value in values.items() for leaf in flat(name, value))
    print(f"\n{json.dumps(found)}")


if __name__ == "__main__":
    main()
