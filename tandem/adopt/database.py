"""Which database the settings use, and how they are brought to Tandem's PostgreSQL."""

from __future__ import annotations

import re
from typing import Any

from tandem.adopt.findings import Findings
from tandem.adopt.folder import Place
from tandem.adopt.interpreter import variables
from tandem.adopt.requirements import Requirements
from tandem.adopt.values import UNKNOWN, UNSET, Scope, Variable, plain

# Reached by Unix socket; who somebody is, tells the kernel (peer): no password.
SOCKET_FOLDER = "/run/postgresql"
NAME = USER = "tandem"
# libpq's own form: what stands behind "?" reaches it through any parser of such addresses.
URL = f"postgres://{USER}@/{NAME}?host={SOCKET_FOLDER}"
ENGINE = "django.db.backends.postgresql"
VALUES = {"ENGINE": ENGINE, "HOST": SOCKET_FOLDER, "NAME": NAME, "USER": USER, "PASSWORD": ""}
VALUES |= {"PORT": ""}
# Names from which settings conclude that there is a database at all.
LIKELY = {
    re.compile(r"(^|_)DATABASE_URL$|^DB_URL$|^POSTGRES(QL)?_URL$"): URL,
    re.compile(r"(^|_)(DB|DATABASE|POSTGRES|POSTGRESQL|PG|SQL|RDS)_?(ENGINE|BACKEND)$"): ENGINE,
    re.compile(r"(^|_)(DB|DATABASE|POSTGRES|PG|SQL|RDS)_?(HOST|HOSTNAME|SERVER)$"): SOCKET_FOLDER,
    re.compile(r"(^|_)(DB|DATABASE|POSTGRES|PG|SQL|RDS)_?(NAME|DB|DATABASE|DB_NAME)$"): NAME,
    re.compile(r"(^|_)(DB|DATABASE|POSTGRES|PG|SQL|RDS)_?(USER|USERNAME)$"): USER,
}


def assumption(name: str) -> str | None:
    """Return what the variable ``name`` will be if its name means a database, or ``None``."""
    return next((value for form, value in LIKELY.items() if form.search(name)), None)


def judge(scope: Scope, required: Requirements, out: Findings) -> None:
    """Note ``database``, and in ``environment`` what leads to Tandem's."""
    place = scope.places.get("DATABASES", Place("the settings"))
    databases = scope.get("DATABASES")
    default = databases.get("default", UNKNOWN) if isinstance(databases, dict) else databases
    if isinstance(databases, dict) and (
        others := [name for name in databases if name != "default"]
    ):
        out.decide("database", f"there is more than one database: {', '.join(others)} ({place})")
    url = default if isinstance(default, Variable) else None
    if isinstance(default, dict) and isinstance(default.get("__url__"), Variable):
        url = default["__url__"]
    if "DATABASES" not in scope.names:
        out.found("database", "own", "the settings have no database")
    elif url is not None:
        _by_url(url, place, out)
    elif not isinstance(default, dict) or "ENGINE" not in default:
        out.found("database", "postgresql", "Tandem's replaces what the settings name")
        out.decide("database", f"DATABASES could not be read ({place}); if not PostgreSQL, own")
    else:
        _by_parts(default, place, out)
    if out.value("database") == "postgresql":
        _driver(required, out)


def _by_url(url: Variable, place: Place, out: Findings) -> None:
    read = url.read
    if read.kind == "db" or re.search(r"(^|_)(DATABASE|DB)_?URL$", read.name):
        out.found("database", "postgresql", f"the address is read from {read.name} ({read.place})")
        out.entry("environment", read.name, URL, f"Tandem's PostgreSQL; read at {read.place}")
    else:
        out.found("database", "own", f"DATABASES is made of {read.name} ({place})")
        out.decide("database", f"give {read.name} such a value that it leads to PostgreSQL")


def _by_parts(default: dict[str, Any], place: Place, out: Findings) -> None:
    engine = default["ENGINE"]
    text = plain(engine)
    names = {key: default[key].read for key in VALUES if isinstance(default.get(key), Variable)}
    chosen = "ENGINE" in names or "postg" in str(text)
    if not chosen and not isinstance(text, str):
        out.found("database", "postgresql", "Tandem's replaces what the settings name")
        out.decide("database", f"ENGINE could not be read ({place}); if not PostgreSQL, own")
        return
    if not chosen and "sqlite" in str(text):
        out.found("database", "sqlite", f"the settings name SQLite ({place})")
        return
    if not chosen:
        out.found("database", "own", f"the settings name {text} ({place})")
        out.decide("database", f"Tandem provides PostgreSQL only; {text} must be there already")
        return
    fixed = {
        key: plain(default[key])
        for key in ("HOST", "NAME")
        if key in default and key not in names and plain(default[key]) not in ("", VALUES[key])
    }
    if fixed:
        shown = ", ".join(
            f"{key} {value}" if isinstance(value, str) else key for key, value in fixed.items()
        )
        out.found("database", "postgresql", f"Tandem's replaces {shown} ({place})")
    else:
        out.found("database", "postgresql", f"the settings lead to PostgreSQL ({place})")
    for key, read in names.items():
        if key == "ENGINE" and plain(engine) not in (None, UNKNOWN) and "gis" in str(text):
            continue
        if key in ("PORT",) and not read.required:
            continue
        value = VALUES[key]
        if read.default is not UNSET and read.default == value:
            continue
        if key == "ENGINE" and text == VALUES["ENGINE"].rpartition(".")[2]:
            value = "postgresql"
        out.entry("environment", read.name, value, f"DATABASES {key} ({read.place})")
    for variable in variables(default.get("OPTIONS")):
        if "ssl" in variable.read.name.lower():
            out.decide("database", f"a Unix socket has no TLS: {variable.read.name}")
    if "postgis" in str(text):
        out.decide("database", "PostGIS must be added to PostgreSQL (postgresql-17-postgis-3)")


def _driver(required: Requirements, out: Findings) -> None:
    """See to it that Python can speak to PostgreSQL."""
    drivers = ("psycopg", "psycopg2", "psycopg2-binary", "psycopg2cffi")
    if required.complete and not any(driver in required for driver in drivers):
        why = "the requirements name no driver for PostgreSQL"
        out.item("packages", "psycopg[binary]>=3.1.8", why)
