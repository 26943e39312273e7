"""Calls that stop the event loop: sleeping, the network, files, other programs."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from django.conf import settings

from tandem.ops.checks import ruff
from tandem.ops.checks.eventloop import Running, awaited, running
from tandem.ops.checks.finding import NOT_READY, Finding, Kind, Place, kind
from tandem.ops.checks.site import Site
from tandem.ops.checks.source import Source

_STOPS = "While it runs, every request and WebSocket of this process waits."
SLEEP = kind(
    "W032",
    "time.sleep in async code",
    why=_STOPS,
    cure="await asyncio.sleep(…).",
    cost="None.",
    verdict=NOT_READY,
)
NETWORK = kind(
    "W033",
    "Synchronous network call in async code",
    why=_STOPS + " A server that does not answer stops them for as long as its time-out.",
    cure="Use an asynchronous client (httpx.AsyncClient, redis.asyncio, a cache's aget and aset),"
    " or await asyncio.to_thread(function).",
    cost="A thread hop, or another client library.",
    verdict=NOT_READY,
)
FILE = kind(
    "W034",
    "File I/O in async code",
    why=_STOPS + " A slow or remote disk makes that seconds.",
    cure="Move the reading or writing into a function and await asyncio.to_thread(function).",
    cost="A thread hop.",
    verdict=NOT_READY,
)
PROCESS = kind(
    "W035",
    "Another program started and waited for in async code",
    why=_STOPS,
    cure="await asyncio.create_subprocess_exec(…), or await asyncio.to_thread(subprocess.run, …).",
    cost="A thread hop at most.",
    verdict=NOT_READY,
)
OTHER = kind(
    "W037",
    "Blocking call in async code",
    why=_STOPS,
    cure="await sync_to_async(function)(…), or its asynchronous counterpart.",
    cost="A thread hop.",
    verdict=NOT_READY,
)

RULES = {"ASYNC21": NETWORK, "ASYNC22": PROCESS, "ASYNC23": FILE, "ASYNC24": FILE,
         "ASYNC250": OTHER, "ASYNC251": SLEEP}  # fmt: skip
VERBS = ("get", "post", "put", "patch", "delete", "head", "options", "request")
CALLS: dict[str, Kind] = {
    "time.sleep": SLEEP,
    **{f"{library}.{verb}": NETWORK for library in ("requests", "httpx") for verb in VERBS},
    "httpx.stream": NETWORK,
    "urllib.request.urlopen": NETWORK,
    "urllib.request.urlretrieve": NETWORK,
    "urllib3.request": NETWORK,
    # Clients that have no other use.
    "requests.Session": NETWORK,
    "requests.session": NETWORK,
    "redis.Redis": NETWORK,
    "redis.StrictRedis": NETWORK,
    "redis.from_url": NETWORK,
    "psycopg.connect": NETWORK,
    "psycopg2.connect": NETWORK,
    "socket.create_connection": NETWORK,
    "socket.getaddrinfo": NETWORK,
    "socket.gethostbyname": NETWORK,
    "smtplib.SMTP": NETWORK,
    "smtplib.SMTP_SSL": NETWORK,
    "django.core.mail.send_mail": NETWORK,
    "django.core.mail.send_mass_mail": NETWORK,
    "django.core.mail.mail_admins": NETWORK,
    "django.core.mail.mail_managers": NETWORK,
    "open": FILE,
    "io.open": FILE,
    "shutil.copy": FILE,
    "shutil.copyfile": FILE,
    "shutil.copytree": FILE,
    "shutil.move": FILE,
    "shutil.rmtree": FILE,
    **{f"subprocess.{name}": PROCESS
       for name in ("run", "call", "check_call", "check_output", "getoutput")},
    "os.system": PROCESS,
    "input": OTHER,
    "asgiref.sync.async_to_sync": OTHER,
    "django.core.management.call_command": OTHER,
}  # fmt: skip
CACHE = {"get", "set", "add", "delete", "get_or_set", "get_many", "set_many", "incr", "decr",
         "touch", "clear", "has_key", "delete_many"}  # fmt: skip
LOCAL_CACHES = ("locmem.", "dummy.")


def check(site: Site) -> Iterator[Finding]:
    """Find blocking calls on the event loop, by ruff and by names that ruff does not know."""
    seen: set[tuple[str, Place]] = set()
    files = [
        s.path for s in site.sources if any(isinstance(n, ast.AsyncFunctionDef) for n in s.parents)
    ]
    for code, place, message in ruff.asynchronous(files):
        what = RULES.get(code) or RULES.get(code[:7])
        if what is not None:
            seen.add((what.code, place))
            yield Finding(what, place, f"{message} ({code}).")
    for step in running(site.sources):
        for finding in _step(step):
            if finding.place and (finding.kind.code, finding.place) not in seen:
                yield finding


def _step(step: Running) -> Iterator[Finding]:
    source, node = step.source, step.node
    if not isinstance(node, ast.Call) or awaited(source, node):
        return
    name = source.dotted(node.func)
    what = CALLS.get(name)
    if what is None and _network_cache(source, node):
        what, name = NETWORK, ast.unparse(node.func)
    if name == "asgiref.sync.async_to_sync" and not _called(source, node):
        return  # wrapped here, called elsewhere
    if what is not None and not source.noqa(node.lineno):
        does = "raises RuntimeError" if name.endswith("async_to_sync") else "blocks"
        said = f"{name.removeprefix('asgiref.sync.')}() {does} in {step.function.name}()."
        yield Finding(what, source.place(node), said, also=step.callers)


def _called(source: Source, node: ast.Call) -> bool:
    parent = source.parents.get(node)
    return isinstance(parent, ast.Call) and parent.func is node


def _network_cache(source: Source, call: ast.Call) -> bool:
    """Tell whether ``call`` asks a cache that is a server."""
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in CACHE:
        return False
    of = call.func.value
    alias = "default" if source.dotted(of) == "django.core.cache.cache" else ""
    if isinstance(of, ast.Subscript) and source.dotted(of.value) == "django.core.cache.caches":
        alias = str(getattr(of.slice, "value", ""))
    backend = settings.CACHES.get(alias, {}).get("BACKEND", "")
    return bool(backend) and not any(local in backend for local in LOCAL_CACHES)
