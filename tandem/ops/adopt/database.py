"""Which database the settings use, and how they are brought to Tandem's PostgreSQL."""

from __future__ import annotations

import re
from typing import Any

from tandem.facts import POSTGRES_SOCKETS
from tandem.ops.adopt.findings import Findings
from tandem.ops.adopt.folder import Place
from tandem.ops.adopt.interpreter import variables
from tandem.ops.adopt.requirements import Requirements
from tandem.ops.adopt.values import UNKNOWN, UNSET, Read, Scope, Variable, plain

# Reached by Unix socket; who somebody is, tells the kernel (peer): no password.
NAME = USER = "tandem"
# libpq's own form: what stands behind "?" reaches it through any parser of such addresses.
URL = f"postgres://{USER}@/{NAME}?host={POSTGRES_SOCKETS}"
ENGINE = "django.db.backends.postgresql"
VALUES = {"ENGINE": ENGINE, "HOST": POSTGRES_SOCKETS, "NAME": NAME, "USER": USER, "PASSWORD": ""}
VALUES |= {"PORT": ""}
KINDS = r"(DB|DATABASE|POSTGRES|POSTGRESQL|PG|SQL|RDS)"
# Names from which settings conclude that there is a database at all.
LIKELY = {
    re.compile(r"(^|_)DATABASE_URL$|^DB_URL$|^POSTGRES(QL)?_URL$"): URL,
    re.compile(rf"(^|_){KINDS}_?(ENGINE|BACKEND)$"): ENGINE,
    re.compile(rf"(^|_){KINDS}_?(TYPE|VENDOR|KIND)$"): "postgresql",
    re.compile(rf"(^|_){KINDS}_?(HOST|HOSTNAME|SERVER)$"): POSTGRES_SOCKETS,
    re.compile(rf"(^|_){KINDS}_?(NAME|DB|DATABASE|DB_NAME)$"): NAME,
    re.compile(rf"(^|_){KINDS}_?(USER|USERNAME)$"): USER,
}
OTHERS = re.compile(r"sqlite|mysql|maria|oracle")
PSYCOPG = "psycopg[binary]>=3.2"  # of a site without a driver; the extra of pyproject.toml
NO_DRIVER = "the requirements name no driver for PostgreSQL"
DRIVERS = ("psycopg", "psycopg2", "psycopg2-binary", "psycopg2cffi")


def assumption(name: str) -> str | None:
    """Return what the variable ``name`` will be if its name means a database, or ``None``."""
    return next((value for form, value in LIKELY.items() if form.search(name)), None)


def choices(compared: dict[str, set[str]]) -> dict[str, str]:
    """Return the variables that choose PostgreSQL, each with the word by which it does.

    ``compared`` has the words that the settings compare each with: others they do not know.
    """
    found = {}
    for name, words in compared.items():
        about = re.search(rf"(^|_){KINDS}", name) or any(OTHERS.search(word) for word in words)
        meant = sorted(word for word in words if "postg" in word)
        if about and meant:
            found[name] = meant[0]
    return found


def judge(
    scope: Scope, required: Requirements, reads: list[Read], chosen: dict[str, str], out: Findings
) -> None:
    """Note ``database``, and in ``environment`` what leads to Tandem's.

    ``reads`` is what the settings read, ``chosen`` what chooses PostgreSQL and by which word.
    """
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
    if "DATABASES" not in scope.names and "INSTALLED_APPS" not in scope.names:
        _by_names("the settings could not be read", required, reads, out)
    elif "DATABASES" not in scope.names:
        out.found("database", "own", "the settings have no database")
    elif url is not None:
        _by_url(url, place, out)
    elif not isinstance(default, dict) or "ENGINE" not in default:
        _by_names(f"DATABASES could not be read ({place})", required, reads, out)
    elif isinstance(plain(default["ENGINE"]), str) or isinstance(default["ENGINE"], Variable):
        _by_parts(default, set(chosen), place, out)
    else:
        _by_names(f"ENGINE could not be read ({place})", required, reads, out)
    if out.value("database") == "postgresql":
        for read in reads:
            if read.name in chosen:
                why = f"chooses PostgreSQL ({read.place})"
                out.entry("environment", read.name, chosen[read.name], why)
        _driver(required, out)


def _by_names(reason: str, required: Requirements, reads: list[Read], out: Findings) -> None:
    """Go by what is required, and by the names of variables, where the settings are no help."""
    driver = next((driver for driver in DRIVERS if driver in required), "")
    if driver:
        why = f"{reason}; {driver} is required ({required.names[driver]})"
        out.found("database", "postgresql", why)
    else:
        out.found("database", "postgresql", "Tandem's replaces what the settings name")
        out.decide("database", f"{reason}; if not PostgreSQL, own")
    for read in reads:
        if (value := assumption(read.name)) is not None and read.kind != "bool":
            # Those that name the whole engine have a default that does, too.
            short = value == ENGINE and "." not in str(read.default)
            value = "postgresql" if short and read.default is not UNSET else value
            out.entry("environment", read.name, value, f"by its name ({read.place})")


def _by_url(url: Variable, place: Place, out: Findings) -> None:
    read = url.read
    if read.kind == "db" or re.search(r"(^|_)(DATABASE|DB)_?URL$", read.name):
        out.found("database", "postgresql", f"the address is read from {read.name} ({read.place})")
        out.entry("environment", read.name, URL, f"Tandem's PostgreSQL; read at {read.place}")
    else:
        out.found("database", "own", f"DATABASES is made of {read.name} ({place})")
        out.decide("database", f"give {read.name} such a value that it leads to PostgreSQL")


def _by_parts(default: dict[str, Any], done: set[str], place: Place, out: Findings) -> None:
    engine = default["ENGINE"]
    text = plain(engine)
    names = {key: default[key].read for key in VALUES if isinstance(default.get(key), Variable)}
    chosen = "ENGINE" in names or "postg" in str(text)
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
        if read.name in done:
            continue
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
        # Tandem's has no options; this is for what the settings cannot do without.
        if variable.read.required and "sslmode" in variable.read.name.lower():
            why = f"a Unix socket has no TLS ({variable.read.place})"
            out.entry("environment", variable.read.name, "disable", why)
    if "postgis" in str(text):
        out.decide("database", "PostGIS must be added to PostgreSQL (postgresql-17-postgis-3)")


def _driver(required: Requirements, out: Findings) -> None:
    """See to it that Python can speak to PostgreSQL."""
    if required.complete and not any(driver in required for driver in DRIVERS):
        out.item("packages", PSYCOPG, NO_DRIVER)
