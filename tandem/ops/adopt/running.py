"""What the running code says of a site.  Where the files have said otherwise, it wins."""

from __future__ import annotations

import re
from typing import Any

from tandem.ops.adopt.answer import Answer, Failure, Route
from tandem.ops.adopt.database import NO_DRIVER, PSYCOPG
from tandem.ops.adopt.environment import IGNORED, SHOWN, made
from tandem.ops.adopt.files import HEALTH
from tandem.ops.adopt.findings import STAND_IN, Findings
from tandem.ops.adopt.lines import mapping, text, texts
from tandem.ops.adopt.model import APPLICATION, MADE, NAME, URL_PATH
from tandem.ops.adopt.processes import WORKERS
from tandem.ops.adopt.sockets import beginning, shortened

ELSEWHERE = re.compile(r"s3boto|S3Storage|S3Static|gcloud|azure_storage")
RUNNING = "the running settings"
PARTS = {"urls": "URLconf", "asgi": "ASGI application", "celery": "Celery"}
# What packages ask for themselves, in the name of a site that uses them.
PACKAGES = re.compile(r"_FOR_DYNACONF$|^DYNACONF_|^PYTHON|^PYDANTIC_|^CELERY_LOADER$")
# Of settings: what the files alone can know.
SOUNDS = "sounds as if"


def judge(findings: Findings, answer: Answer) -> None:
    """Have the findings say what the site has answered."""
    for failure in answer.failures:
        findings.decide("settings", _sentence(failure, findings))
    if not answer.loads or not answer.settings:
        return
    _doubts(findings, answer)
    _environment(findings, answer)
    _secret(findings, answer)
    _database(findings, answer)
    _files(findings, answer)
    _redis(findings, answer)
    _applications(findings, answer)
    _paths(findings, answer)
    _processes(findings, answer)


def _sentence(failure: Failure, findings: Findings) -> str:
    part = PARTS.get(failure.part, "site")
    if failure.service:
        return (
            f"the {part} asks a server as it is loaded ({failure}); move that into a"
            " function that is called when it serves: until then it could not be asked"
        )
    if failure.read_only:
        return f"the {part} writes as it is loaded ({failure}); a release is read-only"
    own = str(findings.value("settings")).partition(".")[0]
    if failure.module.startswith(f"{own}."):
        return (
            f"the {part} imports {failure.module} ({failure.place}), and there is no such file:"
            " write it, and name it under include if git ignores it"
        )
    if failure.module:
        return (
            f"the {part} imports {failure.module}, and nothing brings that"
            f" ({failure.place}); name its package under packages, or take the import out"
        )
    return f"the {part} does not load: {failure}"


def _doubts(findings: Findings, answer: Answer) -> None:
    """Forget what the files could not tell."""
    finding = findings.keys["settings"]
    loading = [_sentence(one, findings) for one in answer.failures]
    finding.decide = [one for one in finding.decide if SOUNDS in one or one in loading]
    if answer.debug():
        sentence = "DEBUG is on; Tandem turns it off, but not what the settings do by it"
        findings.decide("settings", sentence)


def _environment(findings: Findings, answer: Answer) -> None:
    """Keep the variables that are read, and name those that could be given."""
    for key in ("environment", "secrets"):
        if finding := findings.keys.get(key):
            finding.suggested.clear()
            finding.decide.clear()
            for name in list(finding.value or ()):
                known = name in answer.reads or name in IGNORED or name.startswith("DJANGO_")
                if not known and not answer.copied:
                    findings.drop(key, name)
    given = findings.value("environment") or {}
    secrets = findings.value("secrets") or []
    # What Tandem gives to every process is none of these.
    read = {name for name, one in answer.reads.items() if one.place and not one.given}
    read = {name for name in read if not PACKAGES.search(name)}
    names = sorted(read - set(given) - set(secrets) - IGNORED)
    if names:
        shown = ", ".join(names[:SHOWN]) + (" …" if len(names) > SHOWN else "")
        entries = dict(findings.keys["environment"].entries) if given else {}
        findings.anew("environment", given, f"also read, with a default: {shown}")
        findings.keys["environment"].entries = entries
    elif finding := findings.keys.get("environment"):
        finding.why.clear()
    if answer.copied:
        findings.found(
            "environment", given, f"all variables are looked at ({answer.copied}): more may count"
        )


def _secret(findings: Findings, answer: Answer) -> None:
    """See where SECRET_KEY is from."""
    state, secrets = answer.setting("SECRET_KEY"), findings.value("secrets") or []
    findings.found("secrets", secrets)
    # The files tell which variable it is of, whatever that is called.
    named = findings.keys["secrets"].entries
    if any(
        made(name) or named.get(name, "").startswith("SECRET_KEY")
        for name in secrets
        if name in answer.reads
    ):
        return
    if state == "set" and not answer.copied:
        findings.decide("secrets", "SECRET_KEY is in the code, or made anew by each process", [])
    elif state != "set":
        why = "the one in the code is replaced by it" if state else f"{RUNNING} set none"
        findings.item("secrets", "SECRET_KEY", why)


def _database(findings: Findings, answer: Answer) -> None:
    engine, databases = answer.database(), mapping(answer.settings.get("DATABASES"))
    if "postg" in engine:
        findings.anew("database", "postgresql", f"{RUNNING} have {engine}")
        if "gis" in engine:
            sentence = "PostGIS must be added to PostgreSQL (postgresql-17-postgis-3)"
            findings.decide("database", sentence)
    elif "sqlite" in engine or "spatialite" in engine:
        findings.anew("database", "sqlite", f"{RUNNING} have {engine}")
    else:
        findings.anew("database", "own", f"{RUNNING} have {engine or 'no database'}")
        if engine and "dummy" not in engine:
            sentence = f"Tandem provides PostgreSQL only; {engine} must be there already"
            findings.decide("database", sentence)
    packages = findings.keys.get("packages")
    if packages and packages.entries.get(PSYCOPG) == NO_DRIVER and "postg" not in engine:
        findings.drop("packages", PSYCOPG)
    others = [text(name) for name in databases if name != "default"]
    if others:
        findings.decide("database", f"there is more than one database: {', '.join(others)}")
    commands = ["migrate --noinput"] if engine else []
    if "DatabaseCache" in str(answer.settings.get("CACHES")):
        commands.append("createcachetable")
    findings.anew("setup", commands, *([] if engine else [f"{RUNNING} have no database"]))


def _files(findings: Findings, answer: Answer) -> None:
    served = "django.contrib.staticfiles" in answer.apps
    why = "collected when a release is built, served by nginx"
    findings.anew("static", served, why if served else "django.contrib.staticfiles is not in use")
    for name in ("STORAGES", "STATICFILES_STORAGE", "DEFAULT_FILE_STORAGE"):
        if ELSEWHERE.search(str(answer.settings.get(name))):
            findings.decide("static", f"{name} puts files elsewhere than on this disk")


def _redis(findings: Findings, answer: Answer) -> None:
    used = ", ".join(answer.redis) or ("channels" if _channels(answer) else "")
    if used:
        findings.anew("redis", True, f"used by {used}")
    elif finding := findings.keys.get("redis"):
        finding.decide.clear()
    for name, value in answer.settings.items():
        scheme = text(value).partition("://")[0]
        if "BROKER" in name and scheme in ("amqp", "amqps", "pyamqp", "sqs", "kafka"):
            sentence = f"{text(name)} leads to {scheme}: Tandem provides Redis, and not that"
            findings.decide("redis", sentence, False)


def _channels(answer: Answer) -> bool:
    return "channels" in answer.apps or bool(mapping(answer.settings.get("CHANNEL_LAYERS")))


def _applications(findings: Findings, answer: Answer) -> None:
    """Take the applications that the settings name."""
    for kind in ("wsgi", "asgi"):
        module, _, name = answer.setting(f"{kind.upper()}_APPLICATION").rpartition(".")
        place = f"{module}:{name}"
        if module and findings.value(kind) in (None, MADE) and re.fullmatch(APPLICATION, place):
            findings.anew(kind, place, f"{kind.upper()}_APPLICATION of {RUNNING}")


def _paths(findings: Findings, answer: Answer) -> None:
    for route in answer.pages or ():
        path, whole = _path(route)
        if whole and HEALTH.match(path):
            findings.anew("health", path, "of the running URLs")
            break
    prefixes = sorted({shortened(_path(route)[0]) for route in answer.sockets or ()})
    if not prefixes or findings.value("asgi") in (None, MADE):
        return  # a function that is an application tells no routes: the files' word stays
    findings.keys.pop("websocket_paths", None)
    for prefix in prefixes:
        nested = any(other != prefix and prefix.startswith(other) for other in prefixes)
        if prefix == "/":
            findings.decide("websocket_paths", "a socket may have any path; name a prefix", [])
        elif re.fullmatch(URL_PATH, prefix) and (not nested or "/" in prefixes):
            findings.item("websocket_paths", prefix, "of the running ASGI application")


def _path(route: Route) -> tuple[str, bool]:
    """Return the fixed beginning of a route, and whether that is all of it."""
    path = ""
    for pattern, is_regex in route:
        static, whole = beginning(pattern, is_regex)
        path += static.lstrip("/") if path.endswith("/") else static
        if not whole:
            return "/" + path.lstrip("/"), False
    return "/" + path.lstrip("/"), True


def _processes(findings: Findings, answer: Answer) -> None:
    """Add what the files do not start and the running code needs."""
    processes: dict[str, Any] = findings.value("processes") or {}
    apps = {*answer.apps, *texts(answer.settings.get("INSTALLED_APPS"))}
    for app, (name, command) in WORKERS.items() if not processes else ():
        if app in apps and name and re.fullmatch(NAME, name):
            findings.entry("processes", name, command, f"{app} is in {RUNNING}")
    if not re.fullmatch(r"[\w.]+", answer.celery):
        return
    module = answer.celery.removesuffix(".celery")
    commands = " ".join([*processes.values()])
    if not processes:
        command = f"celery -A {module} worker --loglevel info"
        findings.entry("processes", "worker", command, f"Celery is in {answer.celery}")
    if answer.scheduled and "beat" not in commands and ("celery" in commands or not processes):
        command = f"celery -A {module} beat --loglevel info --schedule /tmp/beat"
        findings.entry("processes", "beat", command, f"{answer.celery} has a schedule")


def stands_in(findings: Findings) -> list[str]:
    """Return the variables that have a value only so that the site loads."""
    finding = findings.keys.get("environment")
    entries = finding.entries if finding else {}
    return [name for name, why in entries.items() if why.startswith(STAND_IN)]
