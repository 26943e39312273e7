"""Read and judge ``tandem.yml``, the description of a site (docs/site-file.md)."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from tandem.adopted import MADE
from tandem.facts import KINDS
from tandem.ops.adopt import repository
from tandem.ops.adopt.document import SiteError, Value, known, parse, read

__all__ = ["MADE", "Site", "SiteError", "load", "loads"]

# An application that the site has not, and that is made for it.
DATABASES = ("postgresql", "sqlite", "own")
# Services of Tandem itself, whose names a site's processes cannot have.
RESERVED = (*KINDS, "nginx", "redis", "postgres", "migrate", "first-run")
NAME = r"[a-z][a-z0-9-]*"
MODULE = r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*"
APPLICATION = rf"{MADE}|{MODULE}:{MODULE}"
VARIABLE = r"[A-Za-z_][A-Za-z0-9_]*"
PYTHON = r"3\.[0-9]+"
NODE_VERSION = r"[1-9][0-9]*(\.[0-9]+){0,2}"
NODE = "24"  # the usual one
DEBIAN_PACKAGE = r"[a-z0-9][a-z0-9+.-]+"
# Begins with a name: nothing that pip could take for an option.
REQUIREMENT = r"[A-Za-z0-9][^#]*"
# Nothing that nginx's syntax could take for its own, as in routes.yml.
# bash's own, some of which it lets nobody set; and what deploy/run.sh sets itself.
TAKEN = frozenset(
    {
        "DIRSTACK", "ENV", "EUID", "FUNCNAME", "GROUPS", "HISTCMD", "IFS", "LINENO", "OLDPWD",
        "OPTARG", "OPTIND", "PIPESTATUS", "POSIXLY_CORRECT", "PPID", "PS4", "PWD", "RANDOM",
        "SECONDS", "SHELLOPTS", "SHLVL", "SRANDOM", "UID", "_", "PATH", "PYTHONPATH",
        "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "SPT_NOENV", "TANDEM_ROOT",
        "TANDEM_RELEASE", "SITE_SETTINGS", "SITE_WSGI", "SITE_ASGI", "SITE_DATABASE", "SITE_REDIS",
        "SITE_PYTHON_PATH", "SITE_BUILD", "SITE_SETUP", "SITE_DEMO", "SITE_STATIC", "SITE_SECRETS",
        "SITE_PROCESSES", "SITE_CHECKS", "SITE_FRONT_ENDS", "SITE_NODE", "CREDENTIALS_DIRECTORY",
    }
)  # fmt: skip
# Of a front end: a line of deploy/site.env begins with it.
FOLDER = r"(?!(.*/)?\.\.(/|$))[A-Za-z0-9._][A-Za-z0-9._/-]*"
URL_PATH = r"/[A-Za-z0-9._~/-]*"


@dataclass(frozen=True)
class Site:
    """One site; docs/site-file.md says what each key means."""

    name: str
    settings: str
    source: str = "."
    include: tuple[str, ...] = ()
    root: str = "."
    python_path: tuple[str, ...] = (".",)
    wsgi: str = MADE
    asgi: str = MADE
    requirements: tuple[str, ...] = ("requirements.txt",)
    packages: tuple[str, ...] = ()
    python: str = ""
    system_packages: tuple[str, ...] = ()
    build_packages: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ("SECRET_KEY",)
    front_ends: Mapping[str, str] = field(default_factory=dict)
    node: str = NODE
    static: bool = True
    build: tuple[str, ...] = ()
    setup: tuple[str, ...] = ("migrate --noinput",)
    health: str = "/"
    database: str = "postgresql"
    redis: bool = True
    websocket_paths: tuple[str, ...] = ("/ws/",)
    processes: Mapping[str, str] = field(default_factory=dict)
    checks: Mapping[str, str] = field(default_factory=dict)

    def check(self, process: str) -> str:
        """Return the command by which a process says that it works; nothing where it cannot."""
        return self.checks.get(process) or _ping(self.processes[process])


def _ping(command: str) -> str:
    """Return how a Celery worker is asked; nothing for another command."""
    start = re.match(r"(.*?\bcelery)\s(?=.*\bworker\b)", command)
    app = re.search(r"(?:\s-A|\s--app)[ =]?([\w.:]+)", command)
    if not start or not app:
        return ""
    # One that is given a name of its own is asked as any worker is.
    named = re.search(r"\s(?:-n|--hostname)[ =]", command)
    whom = "" if named else ' --destination "celery@$(uname -n)"'
    return f"{start[1]} -A {app[1]} inspect ping --timeout 5{whom}"


def load(file: Path, *, files: bool = False, source: Path | None = None) -> Site:
    """Return the site that ``file`` describes.

    With ``files``, the folders and files that it names must be there too; those of a site
    in a git repository are looked for in ``source``, where it was fetched.  What is not
    given has the default of ``Site``, except that a site of ``packages`` has no
    requirements, and one whose ASGI application is made has no ``websocket_paths``.

    Raises ``SiteError`` for a file that cannot be read, an unknown or missing key, a
    wrong value, or values that contradict each other.
    """
    site, entries = _site(read(file))
    if files and (source or not repository.parse(site.source)):
        _exist(site, entries, source or file.parent / site.source)
    return site


def loads(text: str, file: Path) -> Site:
    """Return the site that ``text`` describes, which is or will be in ``file``; as ``load``."""
    return _site(parse(text, file))[0]


def _site(document: Value) -> tuple[Site, dict[str, Value]]:
    entries = document.entries()
    for key, value in entries.items():
        known(value, key, READERS)
    for key in ("name", "settings"):
        if key not in entries:
            raise SiteError(f"{document.file}:1: has no {key}; add a line '{key}: …'")
    found: dict[str, Any] = {key: READERS[key](value) for key, value in entries.items()}
    if found.get("packages"):
        found.setdefault("requirements", ())
    if found.get("asgi", MADE) == MADE:
        found.setdefault("websocket_paths", ())
    site = Site(**found)
    _agree(site, entries)
    return site, entries


def _agree(site: Site, entries: Mapping[str, Value]) -> None:
    """Raise ``SiteError`` where two values contradict each other."""
    for name in site.secrets:
        if name in site.environment:
            raise (
                entries["environment"]
                .entries()[name]
                .wrong(f"{name} is in environment and in secrets; keep one")
            )
    if site.websocket_paths and site.asgi == MADE:
        raise entries["websocket_paths"].wrong(
            "an ASGI application that is made serves HTTP only; name the site's own in asgi,"
            " or take websocket_paths out"
        )
    for name in site.checks:
        if name not in site.processes:
            raise (
                entries["checks"]
                .entries()[name]
                .wrong(f"checks names {name}, which is none of processes")
            )


def _exist(site: Site, entries: Mapping[str, Value], source: Path) -> None:
    """Raise ``SiteError`` for a file or folder that is named but not there."""
    named = [("source", source), ("root", source / site.root)]
    named += [("python_path", source / path) for path in site.python_path]
    named += [("requirements", source / path) for path in site.requirements]
    named += [("include", source / path) for path in site.include]
    named += [("front_ends", source / path / "package.json") for path in site.front_ends]
    for key, path in named:
        if key == "include":
            if path.exists():
                continue
            sentence = f"{path} is not there; run what makes it first"
        elif key == "front_ends":
            if path.is_file():
                continue
            sentence = f"{path} is no file; front_ends names the folders of such, within source"
        elif key == "requirements" and not path.is_file():
            sentence = f"{path} is no file; name the site's, or write requirements: []"
        elif key != "requirements" and not path.is_dir():
            sentence = f"{path} is no folder; {key} is relative to " + (
                "tandem.yml" if key == "source" else "source"
            )
        else:
            continue
        raise entries.get(key, entries["name"]).wrong(sentence)


def _matching(pattern: str, must: str) -> Callable[[Value], str]:
    """Return a reader of text that ``pattern`` matches whole."""
    compiled = re.compile(pattern)

    def reader(value: Value) -> str:
        text = value.text()
        if not compiled.fullmatch(text):
            raise value.wrong(f"{value.key} must {must}, got {text!r}")
        return text

    return reader


def _list(item: Callable[[Value], str]) -> Callable[[Value], tuple[str, ...]]:
    def reader(value: Value) -> tuple[str, ...]:
        texts: list[str] = []
        for one in value.items():
            text = item(one)
            if text in texts:
                raise one.wrong(f"{value.key} has {text!r} twice; keep one")
            texts.append(text)
        return tuple(texts)

    return reader


def _within(value: Value) -> str:
    """Read a relative path that does not leave ``source``."""
    text = value.text()
    if not text or text.startswith(("/", "~")) or ".." in text.split("/"):
        raise value.wrong(f"{value.key} must be a path within source, got {text!r}")
    return text


def _source(value: Value) -> str:
    text = value.text()
    if not text or text.startswith(("/", "~")):
        raise value.wrong(f"source must be a folder relative to tandem.yml, got {text!r}")
    try:
        repository.parse(text)
    except ValueError as error:
        raise value.wrong(f"source {error}") from None
    return text


def _command(value: Value) -> str:
    text = value.text()
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise value.wrong(f"{value.key} is no command: {error}") from None
    if not words:
        raise value.wrong(f"{value.key} must be a command; take it out where there is none")
    return text


def _setup(value: Value) -> str:
    text = _command(value)
    if re.match(r"(\S*python\S* )?\S*manage\.py\b|(\S*/)?django-admin\b", text):
        raise value.wrong(f"a command of {value.key} begins behind manage.py: 'migrate --noinput'")
    return text


def _environment(value: Value) -> dict[str, str]:
    return {_variable(entry, name): entry.text() for name, entry in value.entries().items()}


def _variable(value: Value, name: str) -> str:
    if not re.fullmatch(VARIABLE, name):
        raise value.wrong(f"{name!r} is no name of a variable: letters, digits and '_'")
    if name in TAKEN or name.startswith("BASH"):
        raise value.wrong(
            f"{name} belongs to the shell or to Tandem: what is set here has no effect"
        )
    return name


def _processes(value: Value) -> dict[str, str]:
    found = {}
    for name, entry in value.entries().items():
        if not re.fullmatch(NAME, name):
            raise entry.wrong(f"the process {name!r} needs a name of a-z, 0-9 and '-'")
        if name in RESERVED:
            raise entry.wrong(
                f"Tandem has a service {name!r} itself; give the process another name"
            )
        found[name] = _command(entry)
    return found


def _checks(value: Value) -> dict[str, str]:
    return {name: _command(entry) for name, entry in value.entries().items()}


def _front_ends(value: Value) -> dict[str, str]:
    found = {}
    for name, entry in value.entries().items():
        if not re.fullmatch(FOLDER, name):
            raise entry.wrong(f"front_ends must name folders within source, plainly, got {name!r}")
        found[name] = _command(entry)
    return found


def _database(value: Value) -> str:
    text = value.text()
    if text not in DATABASES:
        raise value.wrong(f"database must be {', '.join(DATABASES[:-1])} or own, got {text!r}")
    return text


_application = _matching(APPLICATION, f"be 'module:name', or '{MADE}' where there is none")
# How each key is read; the order is the one of the file that is written.
READERS: dict[str, Callable[[Value], Any]] = {
    "name": _matching(NAME, "be a-z, 0-9 and '-' and begin with a letter"),
    "source": _source,
    "include": _list(_within),
    "root": _within,
    "python_path": _list(_within),
    "settings": _matching(MODULE, "be a module, as in shop.settings"),
    "wsgi": _application,
    "asgi": _application,
    "requirements": _list(_within),
    "packages": _list(_matching(REQUIREMENT, "be a requirement, as in netbox==4.7.0")),
    "python": _matching(PYTHON, "be a version as in '3.13'"),
    "system_packages": _list(_matching(DEBIAN_PACKAGE, "be the name of a Debian package")),
    "build_packages": _list(_matching(DEBIAN_PACKAGE, "be the name of a Debian package")),
    "environment": _environment,
    "secrets": _list(lambda value: _variable(value, value.text())),
    "front_ends": _front_ends,
    "node": _matching(NODE_VERSION, "be a version as in '24' or '22.12'"),
    "static": Value.flag,
    "build": _list(_setup),
    "setup": _list(_setup),
    "health": _matching(URL_PATH, "be a path that begins with '/'"),
    "database": _database,
    "redis": Value.flag,
    "websocket_paths": _list(_matching(URL_PATH, "be a path that begins with '/' and is plain")),
    "processes": _processes,
    "checks": _checks,
}
assert set(READERS) == {one.name for one in fields(Site)}  # noqa: S101
