"""Ask a site what it is: load it as a server would, and tell what that shows, line by line.

Usage: ``python -m tandem.adopted.ask [SECONDS]``, in the site's own image, with the variables
that its servers have (tandem/ops/asking).  Each part is told as soon as it is known, so that what
was told before a crash or the end of the time is not lost.
"""

from __future__ import annotations

import errno
import os
import platform
import re
import secrets
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tandem.adopted.recorded import UNSET, Homes, Recorded, record
from tandem.adopted.told import Told

SECONDS = 60
SAID = 500  # characters of an error
# Errors of what is not here: a database, Redis, a network.
SERVICE = re.compile(r"OperationalError|InterfaceError|Connection\w*|Timeout\w*|gaierror|URLError")
UNREACHABLE = (errno.ENETUNREACH, errno.EHOSTUNREACH)
READ_ONLY = (errno.EROFS, errno.EACCES)
OURS = "tandem.adopted.settings"


class Asking:
    """A site that is being asked."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.told = Told()
        self.homes = Homes(*_homes())
        self.stage = "site"
        self.environment: Recorded = record(self.homes)

    def all(self) -> None:
        """Ask everything; a part that fails is told, and keeps no other from being asked."""
        self.told.line("began", python=platform.python_version())
        threading.Thread(target=self._watch, daemon=True).start()
        for name, part in PARTS.items():
            self.stage = name
            try:
                self.told.line(name, **part())
            except BaseException as error:
                self.told.line("failed", at=name, **self._failure(error))
            if name == "site" and (ours := getattr(sys.modules.get(OURS), "_laid", None)):
                self.told.line("settings", **_settings(vars(sys.modules[OURS])["_own"], ours))
            self._reads()
            if "django.apps" not in sys.modules or not sys.modules["django.apps"].apps.ready:
                break
        self.told.line("ended")

    def _reads(self) -> None:
        told = [
            {
                "name": name, "place": one.place, "given": one.given,
                "default": None if one.default is UNSET else repr(one.default)[:SAID],
            }
            for name, one in self.environment.reads.items()
        ]  # fmt: skip
        self.told.line("reads", reads=told, copied=self.environment.copied)

    def _failure(self, error: BaseException) -> dict[str, Any]:
        """Return what a failure says: of what kind, where in the site, for want of what."""
        chain = list(_chain(error))
        frames = [one for each in chain for one in traceback.walk_tb(each.__traceback__)]
        places = [self.homes.place(frame, line) for frame, line in frames]
        places = [place for place in places if place]
        said = str(error) or type(error).__name__
        missing = (one.name for one in chain if isinstance(one, ModuleNotFoundError))
        kinds = [base.__name__ for one in chain for base in type(one).__mro__]
        return {
            "error": type(error).__name__,
            "said": said[:SAID],
            "place": places[-1] if places else "",
            "module": next(missing, None) or "",
            "variables": self._variables(chain, places),
            "service": any(SERVICE.fullmatch(kind) for kind in kinds) or _of(chain, UNREACHABLE),
            "read_only": _of(chain, READ_ONLY),
        }

    def _variables(self, chain: list[BaseException], places: list[str]) -> list[str]:
        """Return the variables that a failure is about: those it names, then those read there."""
        reads = self.environment.reads
        said = " ".join(str(one) for one in chain)
        named = [name for name in reversed(reads) if re.search(rf"\b{re.escape(name)}\b", said)]
        there = [name for name in reversed(reads) if reads[name].place in places]

        def order(name: str) -> bool:
            """Put what is not there before what has a value that will not do."""
            return name in reads and reads[name].given

        found = [*sorted([*named, *_fields(chain)], key=order), *sorted(there, key=order)]
        return list(dict.fromkeys(found))

    def _watch(self) -> None:
        """End this when the time is over, and say where it was."""
        main = threading.main_thread().ident
        time.sleep(self.seconds)
        frames = traceback.walk_stack(sys._current_frames().get(main or 0))
        place = next(filter(None, (self.homes.place(one, line) for one, line in frames)), "")
        self.told.line(
            "failed", at=self.stage, error="Timeout", place=place,
            said=f"it does not end within {self.seconds:g} s",
        )  # fmt: skip
        self._reads()
        os._exit(1)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    while error and error not in seen:
        seen.append(error)
        yield error
        error = error.__cause__ or error.__context__


def _of(chain: list[BaseException], numbers: tuple[int, ...]) -> bool:
    return any(isinstance(one, OSError) and one.errno in numbers for one in chain)


def _fields(chain: list[BaseException]) -> Iterator[str]:
    """Give the variables that pydantic's settings mean: it reads all, and asks for none."""
    for error in chain:
        told = getattr(error, "errors", None)
        for one in told() if callable(told) and type(error).__name__ == "ValidationError" else ():
            yield str(one["loc"][-1]).upper()


def _homes() -> Iterator[Path]:
    """Give where the site's own code is: its folder, or the package that is installed."""
    for folder in os.environ["PYTHONPATH"].split(":"):
        if not (Path(folder) / "tandem").is_dir():
            yield Path(folder).resolve()
    spec = find_spec(os.environ["SITE_SETTINGS"].partition(".")[0])
    for place in (spec and spec.submodule_search_locations) or ():
        yield Path(place).resolve().parent


def _site() -> dict[str, Any]:
    """Load the site as Gunicorn would."""
    from django.core.wsgi import get_wsgi_application

    from tandem.adopted.application import application

    application("SITE_WSGI", get_wsgi_application)
    from django.apps import apps

    return {"apps": [config.name for config in apps.get_app_configs()]}


def _settings(own: dict[str, Any], laid: dict[str, Any]) -> dict[str, Any]:
    from tandem import facts
    from tandem.adopted.brokers import brokers
    from tandem.adopted.declared import declared
    from tandem.adopted.reasons import replaced

    return {
        "declared": declared(own),
        "replaced": replaced(own, laid),
        "redis": list(brokers(own, facts.REDIS_URL)),
    }


def _urls() -> dict[str, Any]:
    from django.urls import get_resolver

    from tandem.adopted.paths import MOST, paths

    found = [one for one, _ in zip(paths(get_resolver().url_patterns), range(MOST), strict=False)]
    pages = [route for route, socket in found if not socket]
    return {"pages": pages, "sockets": [route for route, socket in found if socket]}


def _asgi() -> dict[str, Any]:
    from django.core.asgi import get_asgi_application

    from tandem.adopted.application import application
    from tandem.adopted.socket_routes import socket_routes

    return {"sockets": socket_routes(application("SITE_ASGI", get_asgi_application))}


def _celery() -> dict[str, Any]:
    """Return the module of the site's Celery, and whether it has a schedule."""
    if "celery" not in sys.modules:
        return {}
    kind = import_module("celery").Celery
    homes = [f"{home}/" for home in _homes()]
    for name, module in list(sys.modules.items()):
        if not (getattr(module, "__file__", None) or "").startswith(tuple(homes)):
            continue
        for one in list(vars(module).values()):
            if isinstance(one, kind):
                return {"module": name, "scheduled": bool(one.conf.beat_schedule)}
    return {}


PARTS: dict[str, Callable[[], dict[str, Any]]] = {
    "site": _site, "urls": _urls, "asgi": _asgi, "celery": _celery,
}  # fmt: skip


def main() -> None:
    """Ask the site of this process' environment."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", OURS)
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    sys.argv = ["gunicorn"]  # some settings look whether it is a test
    os.makedirs(os.environ.get("HOME", "/tmp"), exist_ok=True)  # noqa: S108 - as run.sh
    with tempfile.TemporaryDirectory() as folder:
        # What is random will do here, as in a build (docker/prepare.sh).
        Path(folder, "secret_key").write_text(secrets.token_urlsafe(48))
        os.environ["CREDENTIALS_DIRECTORY"] = folder
        for name in os.environ.get("SITE_SECRETS", "").split():
            os.environ[name] = secrets.token_urlsafe(48)
        Asking(seconds).all()
        sys.stdout.flush()
    os._exit(0)  # threads of the site's need not agree


if __name__ == "__main__":
    main()
