"""The variables that the settings read: which get what value, which are secret, which are asked."""

from __future__ import annotations

import re
from collections.abc import Callable

from tandem.facts import CURRENT, DATA, MEDIA, REDIS_SOCKET, REDIS_URL
from tandem.ops.adopt.findings import Findings
from tandem.ops.adopt.interpreter import variables
from tandem.ops.adopt.requirements import Requirements
from tandem.ops.adopt.values import UNSET, Read, Scope

# What a secret is called.
SECRET = re.compile(
    r"SECRET|PASSWORD|PASSWD|PASSPHRASE|TOKEN|CREDENTIAL|SALT|_DSN$|PRIVATE|(API|ACCESS|_)_?KEY$"
)
# Of these any random text will do; the others come from somebody.
RANDOM = re.compile(r"^(\w+_)?(SECRET_KEY|JWT_SECRET|SIGNING_KEY|HASHIDS?_SALT|SALT)$")
FOREIGN = re.compile(
    r"AWS|AMAZON|S3|STRIPE|PAYPAL|GOOGLE|GITHUB|GITLAB|FACEBOOK|TWITTER|SOCIAL|OAUTH|OIDC|SAML|"
    r"AZURE|GCP|GS_|MAILGUN|SENDGRID|POSTMARK|TWILIO|SENTRY|RECAPTCHA|CAPTCHA|CLOUDINARY|OPENAI|"
    r"SLACK|TELEGRAM|ALGOLIA|MAPBOX|MINIO|ACCESS|CLIENT"
)
# Celery's broker, and django-environ's cache, each have their own way to say it.
CELERY_URL = f"redis+socket://{REDIS_SOCKET}"
CACHE_URL = f"redis://{REDIS_SOCKET}"
# What is required where Redis is used.
REDIS_CLIENTS = (
    "channels", "channels-redis", "redis", "django-redis", "django-rq", "celery[redis]",
)  # fmt: skip
# The address of Redis.  USE_REDIS would be a switch.
REDIS_NAME = re.compile(
    r"(^|_)REDIS(_\w+)?_UR[LI]$|^REDISCLOUD_URL$|^(?!USE|ENABLE|WITH|HAS)\w*REDIS$"
)
DATA_NAME = re.compile(r"(^|_)DATA_?(DIR|DIRECTORY|FOLDER|PATH|ROOT)$")
IGNORED = {"DJANGO_SETTINGS_MODULE", "PATH", "HOME", "CREDENTIALS_DIRECTORY", "PYTHONPATH"}
# Settings that Tandem replaces anyway: what to put into a variable that must be there.
REPLACED = {"ALLOWED_HOSTS": "localhost", "CSRF_TRUSTED_ORIGINS": "https://localhost"}
SHOWN = 30  # names of variables that have a default
FALSE = ("False", "0", "")
INSECURE = "django-insecure-"  # what startproject writes


def made(name: str) -> bool:
    """Return whether the variable ``name`` is a secret for which any random text will do."""
    return bool(RANDOM.match(name)) and not FOREIGN.search(name)


def off(read_debug: Callable[[str], object]) -> str | None:
    """Return the value that makes DEBUG false: ``read_debug(value)`` tells what it becomes."""
    return next((value for value in FALSE if read_debug(value) is False), None)


def judge(reads: list[Read], scope: Scope, required: Requirements, out: Findings) -> None:
    """Note ``environment`` and ``secrets`` of what is read."""
    hosts = {v.read.name for v in variables(scope.get("ALLOWED_HOSTS"))}
    keys = {v.read.name for v in variables(scope.get("SECRET_KEY"))}
    optional: dict[str, Read] = {}
    needed = {read.name for read in reads if read.required}
    # What is assigned says more than what is only looked for.
    for read in sorted(reads, key=lambda read: not read.setting):
        name = read.name
        if name in IGNORED or name in (out.value("environment") or {}):
            continue
        if name in keys or made(name):
            out.item("secrets", name, f"{read.setting or 'read'} ({read.place})")
        elif name in needed and (name in hosts or read.setting in REPLACED):
            setting = "ALLOWED_HOSTS" if name in hosts else read.setting
            why = f"must be there for {setting} ({read.place}), which Tandem replaces"
            out.entry("environment", name, REPLACED[setting], why)
        elif (value := provided(read, required)) is not None:
            out.entry("environment", name, value, f"{_setting(read)} ({read.place})")
        elif name in needed:
            if SECRET.search(name):
                why = f"a secret that {_setting(read)} needs ({read.place})"
                out.suggest("secrets", name, why, [])
            else:
                why = f"read without a default ({read.place})"
                out.suggest("environment", name, why, {})
        else:
            optional.setdefault(name, read)
    given = out.value("environment") or {}
    secrets = out.value("secrets") or []
    names = [name for name in optional if name not in given and name not in secrets]
    if names:
        shown = ", ".join(sorted(names)[:SHOWN]) + (" …" if len(names) > SHOWN else "")
        out.found("environment", given, f"also read, with a default: {shown}")
    _key(scope, keys, out)


def _setting(read: Read) -> str:
    return read.setting or "the settings"


def provided(read: Read, required: Requirements) -> str | None:
    """Return the value with which the variable leads to what Tandem provides."""
    name, setting = read.name, read.setting
    # Nobody who does without Redis so far is given it.
    redis = uses_redis(required) or read.required or "redis" in str(read.default)
    if read.kind == "cache" or (setting == "CACHES" and name.endswith("URL")):
        return (CACHE_URL if read.kind == "cache" else REDIS_URL) if redis else None
    if re.search(r"BROKER|CELERY", name) and name.endswith(("URL", "BROKER", "BACKEND")):
        # A broker of another kind, and results in the database, stay where they are.
        none = read.default in (None, "") and ("BROKER" in name or redis)
        return CELERY_URL if read.default is UNSET or "redis" in str(read.default) or none else None
    if "TLS" not in name and read.kind != "bool" and REDIS_NAME.search(name) and redis:
        return None if name == "REDIS_URL" and not _celery(setting) else _redis(setting)
    if setting == "MEDIA_ROOT" and (read.required or "MEDIA" in name):
        return MEDIA
    if setting == "STATIC_ROOT" and read.required:
        return f"{CURRENT}/static"
    # A release is not to be written into, and every one would begin with nothing.
    return DATA if DATA_NAME.search(name) and read.kind in ("str", "path") else None


def uses_redis(required: Requirements) -> bool:
    """Return whether something that is required speaks to Redis, or might."""
    return not required.complete or any(client in required for client in REDIS_CLIENTS)


def _celery(setting: str) -> bool:
    return "CELERY" in setting or "BROKER" in setting


def _redis(setting: str) -> str:
    return CELERY_URL if _celery(setting) else REDIS_URL


def _key(scope: Scope, keys: set[str], out: Findings) -> None:
    """Say where SECRET_KEY comes from, if not from a variable."""
    if keys:
        return
    place = scope.places.get("SECRET_KEY")
    value = scope.get("SECRET_KEY")
    if "SECRET_KEY" not in scope.names or value == "":
        hoped = [f"; perhaps {name} would ({at})" for name, at in scope.missing.items()]
        why = f"the settings set none{hoped[0] if hoped else ''}: Tandem gives them this"
        out.item("secrets", "SECRET_KEY", why)
    elif isinstance(value, str) and value.startswith(INSECURE):
        out.item("secrets", "SECRET_KEY", f"the one in the code ({place}) is replaced by it")
    elif isinstance(value, str):
        out.decide("secrets", f"SECRET_KEY is in the code ({place}): who reads it has it", [])
    else:
        why = f"SECRET_KEY comes from code that was not followed ({place}): see that it is the"
        out.decide("secrets", f"{why} same in each process, and after a restart", [])
