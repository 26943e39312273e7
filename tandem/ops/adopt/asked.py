"""What is proposed to a site that does not load: a value for a variable, a package for a module."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

from tandem import facts
from tandem.ops.adopt import database, environment
from tandem.ops.adopt.answer import Answer, Failure
from tandem.ops.adopt.findings import STAND_IN, Findings
from tandem.ops.adopt.folder import Place
from tandem.ops.adopt.project import PRODUCTION
from tandem.ops.adopt.requirements import Requirements
from tandem.ops.adopt.values import Read

# Only what is known: a package of a guessed name may be anybody's.
PACKAGES = {
    "MySQLdb": "mysqlclient",
    "PIL": "pillow",
    "bs4": "beautifulsoup4",
    "celery": "celery",
    "channels": "channels",
    "channels_redis": "channels-redis",
    "corsheaders": "django-cors-headers",
    "daphne": "daphne",
    "debug_toolbar": "django-debug-toolbar",
    "decouple": "python-decouple",
    "dj_database_url": "dj-database-url",
    "django_redis": "django-redis",
    "dotenv": "python-dotenv",
    "environ": "django-environ",
    "environs": "environs",
    "pkg_resources": "setuptools<81",
    "psycopg": database.PSYCOPG,
    "psycopg2": "psycopg2-binary",
    "redis": "redis",
    "sentry_sdk": "sentry-sdk",
    "setuptools": "setuptools<81",
    "storages": "django-storages",
    "whitenoise": "whitenoise",
    "yaml": "pyyaml",
}
CLASS = "DJANGO_CONFIGURATION"  # which class the settings are
HOSTS = re.compile(r"ALLOWED_HOSTS|TRUSTED_ORIGINS")
# What stands in, by the name of a variable; the next where that will not do.
STAND_INS = (
    (r"URL|URI|ORIGIN|ENDPOINT", "https://localhost"),
    (r"EMAIL|MAIL|FROM", "nobody@localhost"),
    (r"HOST|SERVER|DOMAIN", "localhost"),
    (r"PORT|TIMEOUT|SECONDS|MINUTES|HOURS|DAYS|COUNT|SIZE|LIMIT|MAX|MIN|TTL|_ID$", "1"),
    (r"DEBUG|ENABLE|DISABLE|^(USE|IS|HAS)_", "False"),
    (r"DIR|PATH|FOLDER|ROOT", facts.DATA),
)
OTHERWISE = ("stand-in", "1", "False", "[]", "{}", "https://localhost", "")
# 32 bytes, as ciphers want them.
KEY = base64.urlsafe_b64encode(b"stand-in" * 4).decode()


def stand_ins(name: str) -> Iterator[str]:
    """Give values with which a site might load, the likeliest first."""
    if name == CLASS:
        yield from (word.title() for word in PRODUCTION)
        return
    likely = [value for form, value in STAND_INS if re.search(form, name)]
    keys = ["stand-in", KEY] if environment.SECRET.search(name) else []
    yield from dict.fromkeys([*keys, *likely, *OTHERWISE])


class Proposals:
    """What has been proposed for one site, and what is left."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.left: dict[str, Iterator[str]] = {}

    def answer(self, failure: Failure, answer: Answer) -> bool:
        """Change the findings so that the site may load; return whether there was a proposal."""
        if failure.service or failure.read_only:
            return False
        package = PACKAGES.get(failure.module.partition(".")[0])
        if package and package not in (self.findings.value("packages") or ()):
            why = f"{failure.module} is imported, and nothing brings it ({failure.place})"
            self.findings.item("packages", package, why)
            return True
        names = (*failure.variables, *_before(failure, answer), *list(self.left)[-1:])
        if "django-configurations" in failure.said:
            names = (CLASS,)
        return any(self._give(name, failure, answer) for name in names)

    def _give(self, name: str, failure: Failure, answer: Answer) -> bool:
        """Give a variable its value, or the next one where the last will not do."""
        findings, read = self.findings, answer.reads.get(name)
        place = (read.place if read else "") or failure.place
        at = f" (read at {place})" if place else ""
        there = name in (findings.value("environment") or {})
        secret = name in (findings.value("secrets") or ())
        if name in environment.IGNORED or secret or (there and name not in self.left):
            return False
        if not there and name in self.left:
            return False  # nothing that stood in did
        if not there:
            findings.drop("secrets", name)
            if environment.made(name):
                findings.item("secrets", name, f"the site does not load without it{at}")
                return True
            if value := provided(name):
                findings.give("environment", name, value, f"the site does not load without it{at}")
                return True
            self.left[name] = stand_ins(name)
        value_ = next(self.left[name], None)
        if value_ is None:
            findings.drop("environment", name)
            return False
        whose = (
            "the class of the settings that sounds as if it were for servers"
            if name == CLASS
            else "a secret of somebody else's, so that the site loads; give yours under secrets"
            if environment.SECRET.search(name)
            else "a stand-in, so that the site loads; give its value"
        )
        findings.give("environment", name, value_, f"{STAND_IN}{whose}{at}")
        return True


def _before(failure: Failure, answer: Answer) -> list[str]:
    """Return the last variable that was not there when it was read, above a failure.

    ``KEY = os.getenv("KEY")`` fails where it is used, lines below.
    """
    file, _, line = failure.place.rpartition(":")
    found = [
        (int(number), one.name)
        for one in answer.reads.values()
        for where, _, number in [one.place.rpartition(":")]
        if where == file and number.isdigit() and one.default in (None, "None") and not one.given
    ]
    above = [one for one in found if line.isdigit() and one[0] < int(line)]
    return [max(above)[1]] if above else []


def provided(name: str) -> str:
    """Return the value by which a variable leads to what Tandem provides or replaces."""
    if HOSTS.search(name):
        return "https://localhost" if "ORIGIN" in name else "localhost"
    if value := database.assumption(name):
        return value
    if re.search(r"DB|DATABASE|POSTGRES|PG", name) and re.search(r"PASS(WORD)?$|PORT$", name):
        return "tandem" if "PASS" in name else str(facts.POSTGRES_PORT)  # Tandem's asks for none
    read = Read(name, Place(""), "", required=True)
    return environment.provided(read, Requirements(complete=False)) or ""
