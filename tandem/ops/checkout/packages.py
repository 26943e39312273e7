"""Which packages a site gets: what it asks for, and what serves it, locked once with hashes."""

from __future__ import annotations

import functools
import hashlib
import re
import shutil
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

from tandem.ops.adopt import locks
from tandem.ops.adopt.causes import cause
from tandem.ops.adopt.database import PSYCOPG
from tandem.ops.adopt.findings import AdoptError
from tandem.ops.adopt.included import included
from tandem.ops.adopt.model import Site
from tandem.ops.bounded.documents import DocumentError, json_data, toml_data
from tandem.ops.bounded.files import LOCK_BYTES, read_text, within, write_text
from tandem.ops.bounded.work import TooMuchError, call
from tandem.ops.checkout import engine, images
from tandem.ops.checkout.programs import CACHE, ROOT, Failed, Programs, say

# Whatever version a site's lock or Django asks for: tandem.asgi uses what came with it.
NEWER = ("asgiref>=3.13",)


def pins(lock: Path) -> list[str]:
    """Return ``["django==5.2.1", …]`` from the lock file of a packaging tool.

    Raises ``OSError`` for one that is no file, ``DocumentError`` for one that is no lock.
    """
    text = read_text(lock, limit=LOCK_BYTES)
    try:
        if lock.name == "Pipfile.lock":
            entries = json_data(text)["default"]
            return [
                f"{name}{entry['version']}" for name, entry in entries.items() if "version" in entry
            ]
        return [locks.requirement(one) for one in locks.needed(toml_data(text))]
    except (LookupError, TypeError, AttributeError):
        raise DocumentError("not the lock of uv, Poetry or pipenv") from None


def requirements(site: Site, source: Path) -> tuple[list[str], dict[str, str]]:
    """Return the site's requirements by name, and the files with more of them, with all texts.

    Raises ``AdoptError`` for a file that is none, or that takes something from elsewhere.
    """
    names, found = list(site.packages), {}
    for name in site.requirements:
        file = source / name
        if file.suffix == ".lock":
            try:
                names += call(pins, within(file, source), expected=(DocumentError, OSError))
            except (DocumentError, TooMuchError) as error:
                raise AdoptError(f"{file}: {error}") from None
            except OSError as error:
                raise AdoptError(f"{file} {error.strerror}") from None
        else:
            found[name] = repr(sorted(included(file, source).values()))
    return names, found


@functools.cache
def extras() -> dict[str, dict[str, str]]:
    """Return Tandem's own requirements by extra and name.

    Not Django's: an adopted site keeps the one it has.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return {
        extra: {re.split(r"[^\w-]", one)[0]: one for one in wanted}
        for extra, wanted in project["optional-dependencies"].items()
    }


def servers_used() -> tuple[str, ...]:
    """Return what serves any site; in the versions that this checkout has locked."""
    return tuple(extras()["server"])


def needed() -> tuple[str, ...]:
    """Return what tandem.adopted and nginx' files need, in any version that suits the site."""
    return ("asgiref", extras()["ops"]["pyyaml"], extras()["redis"]["redis"])


def missing(site: Site, locked: str) -> list[str]:
    """Return what Tandem's settings for the site need and nothing of the site asks for."""
    have = {line.partition("==")[0] for line in locked.splitlines()}
    found = []
    if site.database == "postgresql" and not have & {"psycopg", "psycopg2", "psycopg2-binary"}:
        found.append(PSYCOPG)
    if site.redis and "channels" in have and "channels-redis" not in have:
        found.append(extras()["channels"]["channels-redis"])
    return found


def resolve(
    site: Site, names: list[str], found: Iterable[str], work: Path, debian: str, programs: Programs
) -> str:
    """Return every package with version and hashes, or fail with the resolver's reason.

    To know what a source needs its setup.py is run: in a build, and never on this machine.
    """
    asked, out = work / "resolve", work / "resolved"
    named = [*names, *needed(), *servers_used()]
    (asked / "named.in").write_text("".join(f"{one}\n" for one in named))
    (asked / "files").write_text("".join(f"./{name}\0" for name in found))
    uv = re.search(r"^uv==.*\n(?:[ #].*\n)*", (ROOT / "requirements-dev.lock").read_text(), re.M)
    (asked / "uv.lock").write_text(uv[0] if uv else "")
    shutil.rmtree(out, ignore_errors=True)
    engine.ensure(programs)
    images.base_image(programs, debian)
    log = CACHE / "resolve.log"
    packages = " ".join([*site.build_packages, *site.system_packages])
    images.build(
        programs, log,
        f"the build that resolves packages failed; the whole story is in {log.relative_to(ROOT)}.",
        # Not from the build cache: a failure of the network must not stay.
        "docker", "buildx", "build", "--progress=plain", "--target=resolved",
        "--no-cache-filter=resolve", f"--file={work.parent}/docker/Dockerfile",
        f"--build-arg=DEBIAN_RELEASE={debian}",
        f"--build-arg=SITE_BUILD_PACKAGES={packages}",
        *images.secret_options(images.secrets(programs.environment)),
        f"--output={out}", work.parent,
    )  # fmt: skip
    said, locked = (read_text(out / name, out, LOCK_BYTES) for name in ("said", "locked"))
    if not locked:
        shown = "".join(one for one in said if one.isprintable() or one == "\n")
        print(shown.strip()[-1500:], file=sys.stderr)
        if sentence := cause(shown).sentence:
            raise Failed(f"{sentence}.")
        raise Failed(
            f"the packages of {site.name} do not go together, or not with Tandem's servers or"
            f" the Python of Debian's {debian} (above)."
        )
    return locked


def lock(site: Site, home: Path, source: Path, work: Path, debian: str, programs: Programs) -> Path:
    """Resolve the site's requirements once, beside its tandem.yml; return the locked file."""
    names, found = requirements(site, source)
    ours = [
        line.split(" ")[0]
        for line in (ROOT / "requirements.lock").read_text().splitlines()
        if line.split("==")[0] in servers_used()
    ]
    ours += NEWER
    # A site that has servers of its own, in other versions, is not asked: it gets these.
    (work / "resolve").mkdir(exist_ok=True)
    (work / "resolve" / "overrides.in").write_text("\n".join(ours) + "\n")
    facts = repr((names, site.database, site.redis, ours, [*found.values()]))
    mark = f"# for {debian}, from {hashlib.sha256(facts.encode()).hexdigest()[:16]}\n"
    target = home / f"tandem-{debian}.lock"
    if target.exists() and read_text(target, home, LOCK_BYTES).startswith(mark):
        return target
    say(f"resolving the packages of {site.name}.")
    locked = resolve(site, names, found, work, debian, programs)
    if more := missing(site, locked):
        locked = resolve(site, [*names, *more], found, work, debian, programs)
    write_text(target, mark + locked)
    return target
