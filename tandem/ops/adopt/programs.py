"""What a site's own files start beside its web server, for whichever manager of processes."""

from __future__ import annotations

import configparser
import re
import shlex
from collections.abc import Callable, Iterator

from tandem.ops.adopt.findings import Findings
from tandem.ops.adopt.folder import Place
from tandem.ops.adopt.model import NAME, RESERVED
from tandem.ops.adopt.project import OTHERS, SIDE, Project
from tandem.ops.bounded.documents import DocumentError, yaml_data

# What Tandem runs itself, and what developers run.
SERVERS = re.compile(
    r"\b(gunicorn|uvicorn|daphne|hypercorn|granian|uwsgi|waitress|runserver\w*|watch\S*|npm|yarn|"
    r"pnpm|node|vite|make)\b"
)
# What ends, and so is no process.
ONCE = re.compile(
    r"manage\.py (migrate|makemigrations|collectstatic|compress|compilemessages|check|test|shell|"
    r"loaddata|createsuperuser|createcachetable|wait\w*)\b"
)
Found = Iterator[tuple[int, str, str]]  # line, name or "", command


def procfile(project: Project, out: Findings) -> bool:
    """Note the ``processes`` of a Procfile; return whether it has any."""
    found = False
    for base in dict.fromkeys((project.root, project.folder.path)):
        file = base / "Procfile"
        for number, line in enumerate(project.folder.text(file).splitlines(), 1):
            name, colon, command = (part.strip() for part in line.partition(":"))
            name = re.sub(r"[_.]+", "-", name.lower())
            if not colon or name in ("web", "release") or SERVERS.search(command):
                continue
            place = Place(project.folder.place(file).file, number)
            if not re.fullmatch(NAME, name) or name in RESERVED or not command:
                continue
            if "$" in command:
                out.decide("processes", f"{name} ({place}) has a variable in its command", {})
            out.entry("processes", name, command, f"{place}")
            found = True
        if found:
            return True
    return found


def programs(project: Project, out: Findings) -> bool:
    """Note the ``processes`` that other managers are told of; return whether there are any.

    The first kind that tells of some is enough: others tell the same in other words.
    """
    for form, read in KINDS.items():
        found = False
        for file in project.folder.files:
            place = project.folder.place(file)
            words = set(re.split(r"[/._-]", place.file))
            if not re.search(form, file.name) or words & (SIDE | OTHERS):
                continue
            for line, name, text in read(project.folder.text(file)):
                command = _command(text)
                if not command:
                    continue
                name = _name(command, name)
                out.entry("processes", name, command, f"{Place(place.file, line)}")
                found = True
        if found:
            return True
    return False


def _command(text: str) -> str:
    """Return a command as it is run in the site's folder; nothing if it is none of the site's."""
    try:
        words = shlex.split(text)
    except ValueError:
        return ""
    # Variables are those of another place.
    if not words or SERVERS.search(text) or re.search(r"[$%`;&|<>{}]", text):
        return ""
    words[0] = words[0].rpartition("/")[2]
    if re.fullmatch(r"python[0-9.]*", words[0]) and len(words) > 2:
        words = ["python", words[1].rpartition("/")[2], *words[2:]]
    elif words[0] == "manage.py":
        words = ["python", *words]  # its mode is not kept
    if words[:2] not in (["python", "manage.py"], ["python", "-m"]) and words[0] != "celery":
        return ""
    command = shlex.join(words)
    if ONCE.search(command) or len(words) < 3:
        return ""
    if words[0] == "celery" and "beat" in words and not re.search(r" (-s|--schedule)\b", command):
        command += " --schedule /tmp/beat"  # else it writes into the release
    return command


def _name(command: str, given: str) -> str:
    words = command.split()
    kind = next((word for word in words if word in ("worker", "beat", "flower")), "")
    name = given or (kind if words[0] == "celery" else words[2])
    name = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-0123456789") or "process"
    return f"{name}-process" if name in RESERVED else name


def _supervisor(text: str) -> Found:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return
    for section in parser.sections():
        if section.startswith("program:"):
            command = parser.get(section, "command", fallback="").partition(" ;")[0]
            line = text[: text.index(f"[{section}]")].count("\n") + 1
            yield line, section.partition(":")[2], command


def _uwsgi(text: str) -> Found:
    for number, line in enumerate(text.splitlines(), 1):
        if match := re.match(r"\s*attach-daemon\s*=\s*(.+)", line):
            yield number, "", match[1].strip()


def _systemd(text: str) -> Found:
    for number, line in enumerate(text.splitlines(), 1):
        if match := re.match(r"ExecStart\s*=\s*-?(.+)", line):
            yield number, "", match[1].strip()


def _compose(text: str) -> Found:
    try:
        document = yaml_data(text)
    except DocumentError:
        return
    services = document.get("services") if isinstance(document, dict) else None
    for name, service in services.items() if isinstance(services, dict) else ():
        command = service.get("command") if isinstance(service, dict) else None
        if isinstance(command, list):
            command = shlex.join(map(str, command))
        if isinstance(command, str):
            line = next(
                (n for n, one in enumerate(text.splitlines(), 1) if one.strip() == f"{name}:"), 0
            )
            yield line, str(name), command


# Names of files, and how each is read.
KINDS: dict[str, Callable[[str], Found]] = {
    r"^supervisor\S*\.(conf|ini)$": _supervisor,
    r"^uwsgi\S*\.ini$": _uwsgi,
    r"\.service$": _systemd,
    r"^(docker-)?compose\S*\.ya?ml$": _compose,
}
