"""Every fact has one home, ``tandem/facts.py``; what cannot read it says the same.

A fact that is changed there alone is red here in every file that has to change with it, and so is
a file that says one again.
"""

from __future__ import annotations

import re
import tomllib

import pytest
import yaml

from tandem import facts
from tests.checkout import ROOT
from tests.homes import homes, said, texts
from tests.unit.deploy.systemd import Unit


def whole(text: str) -> str:
    """Return a pattern of ``text`` that is not a part of another path, name or number."""
    return rf"(?<![\w.-]){re.escape(text)}(?![\w-])"


def named(header: str) -> str:
    """Return a pattern of a header, also as nginx' variables name it."""
    return "(?i)" + header.replace("-", "[-_]")


CARDS = "app/static/gallery/open-socket.js"
UNIT = "deploy/systemd"
# The files that cannot read a fact, and say it again: no more and no fewer.
COMPARED: dict[str, tuple[str, set[str]]] = {
    "a socket ended unasked": (
        whole(str(facts.ABNORMAL)),
        {"tandem/ops/checks/layers.py"},  # the sentence of a finding
    ),
    "policy violation": (whole(str(facts.POLICY_VIOLATION)), {CARDS}),
    "internal error": (whole(str(facts.INTERNAL_ERROR)), {CARDS}),
    "service restart": (whole(str(facts.SERVICE_RESTART)), set()),
    "try again later": (whole(str(facts.TRY_AGAIN_LATER)), set()),
    "logged out": (whole(str(facts.LOGGED_OUT)), {CARDS}),
    "the kinds of process": (
        r"\W+".join(facts.KINDS),
        {
            "deploy/nginx/maps.conf",
            "deploy/run.sh",
            "tandem/ops/adopt/schema.json",
            "tandem/ops/routes/schema.json",
        },
    ),
    "ports of kinds": ("|".join(whole(str(port)) for port in facts.TCP_PORTS.values()), set()),
    "Redis' port": (whole(str(facts.REDIS_PORT)), set()),
    "PostgreSQL's port": (whole(str(facts.POSTGRES_PORT)), set()),
    "Redis' socket": (
        whole(facts.REDIS_SOCKET),
        {"compose.yaml", "deploy/redis/tandem.conf"},
    ),
    "PostgreSQL's sockets": (
        whole(facts.POSTGRES_SOCKETS),
        {"compose.yaml", "deploy/postgres/tandem.conf", "docker/Dockerfile"},
    ),
    "the socket of copies": (
        whole(facts.SHADOW_SOCKET),
        {"deploy/nginx/shadow.conf", f"{UNIT}/nginx-shadow.socket"},
    ),
    "nginx' pid": (
        whole(facts.NGINX_PID),
        {
            "ansible/roles/nginx/tasks/configuration.yml",
            "deploy/nginx/start.sh",
            "deploy/nginx/upgrade.sh",
            f"{UNIT}/nginx.conf",
        },
    ),
    "who answered": (
        named(facts.UPSTREAM_HEADER),
        {"app/static/gallery/cards/poll.js", "deploy/nginx/snippets/headers.conf"},
    ),
    "which release": (
        named(facts.RELEASE_HEADER),
        {
            "deploy/nginx/log.conf",
            "deploy/nginx/maps.conf",
            "deploy/nginx/shadow.conf",
            "deploy/nginx/snippets/headers.conf",
        },
    ),
    "the newest Debian": (
        whole(facts.NEWEST_DEBIAN),
        {".env"},
    ),
    "the oldest Debian": (
        whole(next(iter(facts.DEBIANS))),
        set(),
    ),
    # No fact of Python's: nginx alone knows it.
    "the read timeout of sockets": (
        r"\b86400s?\b",
        # The second is a limit of another kind, by chance a day as well.
        {"deploy/nginx/snippets/websocket.conf", "tandem/ops/compare/options.py"},
    ),
}
PLACES = {
    value
    for name, value in vars(facts).items()
    if name.isupper() and isinstance(value, str) and value.startswith("/")
}
# Whatever is Tandem's on a server, and the sockets of others that it uses.
PATH = re.compile(
    r"(?<![\w.-])(?:"
    r"/(?:srv|etc|etc/nginx|var/lib|var/log|usr/local/lib|run)/tandem(?![\w-])"
    r"|/usr/local/bin/tandem-manage"
    r"|/run/(?:postgresql|nginx|tandem-nginx|redis-tandem)(?![\w-])"
    r")(?:/[\w.@%-]*)*"
)
# Folders of which each part is a fact; in the others it is of whoever writes it there.
PARTED = (facts.SETTINGS, facts.SITE)
# The folders of sockets, which are made before there is one.
SOCKET_FOLDERS = {place.rpartition("/")[0] for place in PLACES if place.startswith("/run/")}


def unknown(path: str) -> bool:
    """Tell whether no fact is the beginning of ``path``."""
    path = path.rstrip("/.")
    whole_folder = path in {*PARTED, *SOCKET_FOLDERS}
    return not whole_folder and not any(
        path == place or (path.startswith(f"{place}/") and place not in PARTED) for place in PLACES
    )


@pytest.mark.parametrize("fact", COMPARED)
def test_a_fact_is_said_again_where_it_cannot_be_read_and_nowhere_else(fact: str):
    pattern, files = COMPARED[fact]
    assert homes(pattern) == files


def test_no_program_in_python_says_a_place_again():
    found = {
        (name, path[0])
        for name, text in texts().items()
        if name.endswith(".py") and f"{ROOT / name}" != facts.__file__
        for path in PATH.finditer(text)
    }
    assert found == set()


def test_every_place_that_a_file_names_is_a_fact():
    found = {
        (name, path[0])
        for name, text in texts().items()
        if not name.endswith(".py")
        for path in PATH.finditer(text)
        if unknown(path[0])
    }
    assert found == set()


@pytest.mark.parametrize("place", sorted(PLACES))
def test_a_place_that_nobody_names_is_no_fact(place: str):
    name = next(name for name, value in vars(facts).items() if value == place)
    assert homes(whole(place)) or [
        file
        for file in (*(ROOT / "tandem").rglob("*.py"), *(ROOT / "ansible").rglob("*.*"))
        if file.is_file() and re.search(rf"\bfacts\.{name}\b", file.read_text())
    ]


@pytest.mark.parametrize("kind", facts.KINDS)
def test_the_sockets_of_a_kind_are_where_nginx_looks(kind: str):
    listening = Unit(f"{kind}@.socket")["Socket", "ListenStream"]
    assert listening == facts.socket_of(f"{kind}@%i")
    assert Unit("trial-socket.conf")["Socket", "ListenStream"].splitlines()[-1] == (
        facts.socket_of("%p@%i")
    )


def test_who_knows_the_kinds_knows_all_of_them():
    kinds = " ".join(facts.KINDS)
    assert f"run.sh {kinds.replace(' ', ' | ')} | load" in (ROOT / "deploy/run.sh").read_text()
    edge = "|".join(facts.KINDS)
    assert f"(({edge})/)" in (ROOT / "deploy/nginx/maps.conf").read_text()
    roles = yaml.safe_load((ROOT / "ansible/roles/tandem/vars/main.yml").read_text())
    assert tuple(roles["tandem_kinds"]) == facts.KINDS
    for name, kind in roles["tandem_kinds"].items():
        assert kind["port"] == f"{{{{ tandem_facts.TCP_PORTS.{name} }}}}"
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    assert {*facts.KINDS, facts.PROCESS} <= services.keys()


def test_ports_of_one_kind_differ_in_the_last_digit_alone():
    # tandem.instance.handover takes the rest for the kind, and a server has nine of one at most.
    assert len(set(facts.TCP_PORTS.values())) == len(facts.KINDS)
    assert all(1024 <= 10 * port < 65530 for port in facts.TCP_PORTS.values())


def test_the_gallery_knows_the_codes():
    text = (ROOT / CARDS).read_text()
    assert f"const NORMAL = {facts.NORMAL};" in text
    assert f"const INTERNAL_ERROR = {facts.INTERNAL_ERROR};" in text
    assert f"[{facts.POLICY_VIOLATION}, {facts.LOGGED_OUT}," in text


def test_the_python_of_the_oldest_debian_is_the_oldest_that_is_supported():
    oldest = next(iter(facts.DEBIANS.values())).python
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["requires-python"] == f">={oldest}"
    assert project["tool"]["mypy"]["python_version"] == oldest
    shell = f"sys.version_info < ({oldest.replace('.', ', ')})"
    assert shell in (ROOT / "docker/venv.sh").read_text()


def said_by(name: str) -> str:
    """Return the text of a file of the checkout."""
    return (ROOT / name).read_text()


def test_root_has_facts_beside_what_reads_them():
    tools = yaml.safe_load(said_by("ansible/roles/tools/vars/main.yml"))["tools_files"]
    assert f"{facts.TOOLS}/tandem/facts.py" in tools
    # And needs nothing else of the package for it.
    assert not re.search(r"(?m)^\s*(from|import) (tandem|django)", said_by("tandem/facts.py"))


@pytest.mark.parametrize(
    ("name", "text", "has"),
    [
        ("a.py", '"""At /run/tandem."""\n', False),
        ("a.py", "x = 1  # /run/tandem\n", False),
        ("a.py", 'x = "unix:/run/tandem/a.sock"\n', True),
        ("a.py", 'x = f"/run/tandem/{y}"\n', True),
        ("a.py", 'x = "/run/tandem-other"\n', False),
        ("a.yml", "# /run/tandem\na: b # /run/tandem\n", False),
        ("a.yml", "a: /run/tandem\n", True),
        ("a.sh", "rm -rf /run/tandem/x\n", True),
        ("a.js", "// /run/tandem\n", False),
        ("a.json", '{"a": "/run/tandem"}', True),
    ],
)
def test_what_a_program_reads_is_found_and_prose_is_not(name: str, text: str, has: bool):
    assert bool(homes(whole(facts.SOCKETS), {name: said(name, text)})) is has


def test_a_list_of_the_kinds_is_found_in_any_notation():
    pattern = COMPARED["the kinds of process"][0]
    for name, text in {
        "a.py": "x = ('wsgi', 'asgi', 'notify')",
        "a.sh": "kinds=(wsgi asgi notify)",
        "a.yml": "a: [wsgi, asgi, notify]",
        "b.yml": "- wsgi\n- asgi\n- notify\n",
    }.items():
        assert homes(pattern, {name: said(name, text)}) == {name}
