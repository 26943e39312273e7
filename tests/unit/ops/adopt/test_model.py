"""tandem.yml: what it accepts, how it complains, and its schema."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields
from pathlib import Path

import jsonschema
import pytest
import yaml

from tandem.ops.adopt import model
from tandem.ops.adopt.model import Site, SiteError, load, loads
from tests.stack import ROOT

LEAST = "name: shop\nsettings: shop.settings\n"
SCHEMA = json.loads((ROOT / "tandem/ops/adopt/schema.json").read_text())
FULL = """\
name: shop
source: ..
include: [static/made]
root: backend
python_path: [., backend/apps]
settings: shop.settings.production
wsgi: shop.wsgi:application
asgi: shop.asgi:app
requirements: [requirements/production.txt]
packages: ["psycopg[binary]>=3.2"]
python: "3.13"
system_packages: [libpq5]
build_packages: [libpq-dev, g++]
environment: {DEBUG: "off", EMPTY: ""}
secrets: [SECRET_KEY, JWT_SECRET]
front_ends: {.: npm run build, theme/static_src: "npx vite build"}
node: "22.12"
static: false
build: [compress --force]
setup: [migrate --noinput, createcachetable]
health: /healthz
database: sqlite
redis: false
websocket_paths: [/ws/, /api/v4/ws]
processes: {worker: "celery -A shop worker"}
checks: {worker: "test -e /tmp/up"}
"""
# What is wrong, and the complaint; each is refused by the schema as well.
WRONG = [
    ("", "tandem.yml:1: is empty"),
    ("- a\n", "tandem.yml:1: the file must be a mapping"),
    ("settings: a\n", "tandem.yml:1: has no name; add a line 'name: …'"),
    ("name: shop\n", "tandem.yml:1: has no settings"),
    (LEAST + "setings: a\n", "tandem.yml:3: unknown key 'setings'; did you mean 'settings'?"),
    (LEAST + "zzz: a\n", "tandem.yml:3: unknown key 'zzz'; known are name, source"),
    ("name: My Shop\nsettings: a\n", "tandem.yml:1: name must be a-z, 0-9 and '-'"),
    ("name: shop\nsettings: a-b\n", "tandem.yml:2: settings must be a module"),
    (LEAST + "source: /srv\n", "tandem.yml:3: source must be a folder relative to tandem.yml"),
    (LEAST + "source: git+https://host/x.git\n", "source must name an address and a commit, tag"),
    (LEAST + "source: git+ftp://host/x@v1\n", "source must name an address and a commit, tag"),
    (LEAST + "source: git+https://me:secret@host/x@v1\n", "source has a password; keep it out"),
    (LEAST + "include: [../x]\n", "include must be a path within source"),
    (LEAST + 'front_ends: {../x: "npm run build"}\n', "3: front_ends must name folders within"),
    (LEAST + 'front_ends: {"a b": "npm run build"}\n', "3: front_ends must name folders within"),
    (LEAST + 'front_ends: {a: ""}\n', "front_ends.a must be a command"),
    (LEAST + 'node: ">=22"\n', "tandem.yml:3: node must be a version as in '24'"),
    (LEAST + "node: 22\n", 'node must be text, but YAML reads 22 as int; put it in quotes: "22"'),
    (LEAST + "root: ../x\n", "tandem.yml:3: root must be a path within source, got '../x'"),
    (LEAST + "python_path: src\n", "tandem.yml:3: python_path must be a list"),
    (LEAST + "python_path:\n  - src\n  - a/../../b\n", "tandem.yml:5: python_path must be a path"),
    (LEAST + "wsgi: shop.wsgi.application\n", "wsgi must be 'module:name', or 'made'"),
    (LEAST + "requirements: [/a.txt]\n", "requirements must be a path within source"),
    (LEAST + "packages: ['--index-url=x']\n", "packages must be a requirement"),
    (LEAST + "python: 3.13\n", 'YAML reads 3.13 as float; put it in quotes: "3.13"'),
    (LEAST + "python: '2.7'\n", "python must be a version as in '3.13'"),
    (LEAST + "system_packages: [libpq5, libpq5]\n", "system_packages has 'libpq5' twice"),
    (LEAST + "build_packages: ['gcc; rm']\n", "build_packages must be the name of a"),
    (LEAST + "environment: {DEBUG: off}\n", 'YAML reads off as bool; put it in quotes: "off"'),
    (LEAST + "environment:\n  A: a\n  B:\n", "tandem.yml:5: environment.B has no value;"),
    (LEAST + "environment: {A-B: a}\n", "'A-B' is no name of a variable"),
    (LEAST + "environment: [A]\n", "environment must be a mapping"),
    (LEAST + "environment: {A: [b]}\n", "environment.A must be text, got a list"),
    (LEAST + "secrets: [A B]\n", "'A B' is no name of a variable"),
    (LEAST + "static: 'yes'\n", "static must be true or false"),
    (LEAST + "build: ['']\n", "build must be a command"),
    (LEAST + "setup: ['']\n", "setup must be a command"),
    (LEAST + "health: health\n", "health must be a path that begins with '/'"),
    (LEAST + "database: mysql\n", "database must be postgresql, sqlite or own, got 'mysql'"),
    (LEAST + "asgi: a.b:c\nwebsocket_paths: ['/ws/{x}']\n", "yml:4: websocket_paths must be"),
    (LEAST + "processes: {wsgi: a}\n", "Tandem has a service 'wsgi' itself"),
    (LEAST + "processes: {My_Worker: a}\n", "the process 'My_Worker' needs a name of a-z"),
    (LEAST + "processes: {worker: ''}\n", "processes.worker must be a command"),
]  # fmt: skip
# What JSON Schema cannot say.
WRONG_TOGETHER = [
    ("a: [\n", "not YAML"),
    (LEAST + "name: shop\n", "tandem.yml:3: name is there twice"),
    (LEAST + 'environment: {A: "b\\nc"}\n', "environment.A must be one line"),
    (LEAST + "environment: {K: a}\nsecrets: [K]\n", "tandem.yml:3: K is in environment and in"),
    (LEAST + "websocket_paths: [/ws/]\n", "tandem.yml:3: an ASGI application that is made serves"),
    (LEAST + "setup: ['python manage.py migrate']\n", "a command of setup begins behind manage.py"),
    (LEAST + "setup: ['a \"b']\n", "setup is no command: No closing quotation"),
]


@pytest.fixture
def site(tmp_path: Path):
    """Give a function that loads a site from a text."""

    def read(text: str) -> Site:
        file = tmp_path / "tandem.yml"
        file.write_text(text)
        return load(file)

    return read


def test_every_key_is_read(site):
    found = site(FULL)
    document = yaml.safe_load(FULL)
    for key, value in document.items():
        assert getattr(found, key) == (tuple(value) if isinstance(value, list) else value)
    assert set(document) == {one.name for one in fields(Site)}
    jsonschema.validate(document, SCHEMA)


def test_what_is_left_out_has_its_default(site):
    assert site(LEAST) == Site("shop", "shop.settings", websocket_paths=())
    own = site(LEAST + "asgi: shop.asgi:application\n")
    assert own.websocket_paths == ("/ws/",)
    assert site(LEAST + "packages: [netbox]\n").requirements == ()


@pytest.mark.parametrize(("text", "complaint"), [*WRONG, *WRONG_TOGETHER])
def test_a_mistake_is_named_with_its_line_and_cure(site, text: str, complaint: str):
    with pytest.raises(SiteError) as caught:
        site(text)
    assert complaint in str(caught.value)


@pytest.mark.parametrize("text", [text for text, _ in WRONG])
def test_the_schema_refuses_what_the_model_refuses(text: str):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(text), SCHEMA)


def test_the_schema_has_the_models_keys_defaults_and_choices():
    properties = SCHEMA["properties"]
    assert list(properties) == list(model.READERS)
    for one in fields(Site):
        default = one.default_factory() if one.default_factory is not MISSING else one.default
        if one.name in SCHEMA["required"]:
            assert default is MISSING
        else:
            value = properties[one.name]["default"]
            assert default == (tuple(value) if isinstance(value, list) else value), one.name
    assert tuple(properties["database"]["enum"]) == model.DATABASES
    assert tuple(properties["processes"]["propertyNames"]["not"]["enum"]) == model.RESERVED
    assert SCHEMA["additionalProperties"] is False
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    ("key", "pattern"),
    [
        ("name", model.NAME),
        ("settings", model.MODULE),
        ("wsgi", model.APPLICATION),
        ("asgi", model.APPLICATION),
        ("python", model.PYTHON),
        ("node", model.NODE_VERSION),
        ("health", model.URL_PATH),
    ],
)
def test_the_schema_has_the_models_patterns(key: str, pattern: str):
    assert SCHEMA["properties"][key]["pattern"] == f"^({pattern})$"


def test_the_schema_has_the_models_pattern_of_folders():
    assert SCHEMA["properties"]["front_ends"]["propertyNames"]["pattern"] == f"^({model.FOLDER})$"


def test_a_missing_file_is_named_with_the_cure(tmp_path: Path):
    with pytest.raises(SiteError, match=r"tandem\.yml: No such file.*`tandem adopt` writes one"):
        load(tmp_path / "tandem.yml")


def test_a_file_in_another_encoding_is_named(tmp_path: Path):
    (tmp_path / "tandem.yml").write_bytes("name: café\n".encode("latin-1"))
    with pytest.raises(SiteError, match=r"tandem\.yml: is not UTF-8"):
        load(tmp_path / "tandem.yml")


def test_what_it_names_must_be_there_when_that_is_asked_for(tmp_path: Path):
    file = tmp_path / "tandem.yml"
    file.write_text(LEAST + "requirements: [gone.txt]\n")
    load(file)
    with pytest.raises(SiteError, match=r"tandem\.yml:3: .*gone\.txt is no file"):
        load(file, files=True)
    file.write_text(LEAST + "requirements: []\nroot: gone\n")
    with pytest.raises(SiteError, match=r"tandem\.yml:4: .*gone is no folder; root is relative to"):
        load(file, files=True)
    file.write_text(LEAST + "requirements: []\ninclude: [made]\n")
    with pytest.raises(SiteError, match=r"tandem\.yml:4: .*made is not there; run what makes it"):
        load(file, files=True)
    file.write_text(LEAST)
    (tmp_path / "requirements.txt").write_text("django\n")
    assert load(file, files=True) == loads(LEAST, file)


def of(text: str) -> Site:
    """Return the site of the least that a file must say, and of ``text``."""
    return loads(LEAST + text + "\n", Path("tandem.yml"))


@pytest.mark.parametrize(
    ("command", "check"),
    [
        (
            "celery -A shop worker --loglevel info",
            'celery -A shop inspect ping --timeout 5 --destination "celery@$(uname -n)"',
        ),
        (
            "python -m celery --app=shop.celery:app worker",
            "python -m celery -A shop.celery:app inspect ping --timeout 5"
            ' --destination "celery@$(uname -n)"',
        ),
        (
            "celery -A shop worker -n high@%h -Q high",
            "celery -A shop inspect ping --timeout 5",
        ),
        ("celery -A shop beat", ""),
        ("celery worker", ""),
        ("python manage.py rqworker default", ""),
    ],
)
def test_a_celery_worker_is_asked_by_a_ping_of_its_own(command, check):
    made = of(f"processes: {{worker: {json.dumps(command)}}}")
    assert made.check("worker") == check


def test_a_process_has_the_check_that_the_site_gives_it():
    made = of("processes: {worker: celery -A shop worker}\nchecks: {worker: test -e /tmp/up}")
    assert made.check("worker") == "test -e /tmp/up"


def test_a_check_of_a_process_that_is_not_there_is_refused():
    with pytest.raises(SiteError, match="checks names other, which is none of processes"):
        of("processes: {worker: x}\nchecks: {other: x}")
