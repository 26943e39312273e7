"""Make of any Django site what the images and releases are built from.

``SITE`` names it: a folder with a ``tandem.yml`` (``tandem adopt`` writes it), or that file.
``.cache/sites/NAME`` becomes a folder laid out as this checkout is, so that everything else works
for the site as it does for ``app/``.  The site's own folder gets a file of locked packages only.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from tandem import facts
from tandem.ops import encode
from tandem.ops.adopt import repository as repositories
from tandem.ops.adopt.findings import AdoptError
from tandem.ops.adopt.model import Site, SiteError, load
from tandem.ops.adopt.source import copy
from tandem.ops.bounded.files import read_text
from tandem.ops.checkout import python
from tandem.ops.checkout.packages import lock
from tandem.ops.checkout.programs import CACHE, ROOT, Failed, Programs
from tandem.ops.routes.site import SITES, beginning

CONTEXTS = CACHE / "sites"
PROFILE = "processes"  # of the replica's services
# Every process has these already, so that a default would never count.
ALWAYS_SET = ("HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TERM", "HOSTNAME")
MANAGE = '''\
"""Django's command line; the site came without."""

import sys

from django.core.management import execute_from_command_line

execute_from_command_line(sys.argv)
'''


def variables(site: Site) -> dict[str, str]:
    """Return the variables that each process of the site has, whatever it is."""
    return {
        "DJANGO_SETTINGS_MODULE": "tandem.adopted.settings",
        "WSGI_APPLICATION": "tandem.adopted.wsgi:application",
        "ASGI_APPLICATION": "tandem.adopted.asgi:application",
        "SITE_SETTINGS": site.settings,
        "SITE_WSGI": site.wsgi,
        "SITE_ASGI": site.asgi,
        "SITE_DATABASE": site.database,
        "SITE_REDIS": "on" if site.redis else "",
        **({"REDIS_URL": facts.REDIS_URL} if site.redis else {}),
        **site.environment,
    }


def site_env(site: Site) -> str:
    """Return ``deploy/site.env`` of the site."""
    values = variables(site)
    fixed = {
        "TANDEM_ROOT": "" if site.root == "." else site.root,
        "SITE_PYTHON_PATH": " ".join(p for p in site.python_path if p != "."),
        "SITE_BUILD": "\n".join(site.build),
        "SITE_SETUP": "\n".join(site.setup),
        "SITE_DEMO": "",
        "SITE_FRONT_ENDS": "\n".join(f"{folder} {how}" for folder, how in site.front_ends.items()),
        "SITE_NODE": site.node if site.front_ends else "",
        "SITE_STATIC": "on" if site.static else "",
        "SITE_SECRETS": " ".join(site.secrets),
        "SITE_PROCESSES": "\n".join(f"{name} {how}" for name, how in site.processes.items()),
        "SITE_CHECKS": "\n".join(
            f"{name} {how}" for name in site.processes if (how := site.check(name))
        ),
    }
    fixed |= {name: site.environment[name] for name in ALWAYS_SET if name in site.environment}
    lines = [encode.default(name, value) for name, value in values.items() if name not in fixed]
    lines += [encode.assignment(name, value) for name, value in fixed.items()]
    return "\n".join(
        [f"# Written from {site.name}'s tandem.yml (tandem/ops/checkout/site.py).", *lines, ""]
    )


def services(site: Site) -> str:
    """Return the part of the stack for the site's own processes."""
    own = {
        name: {
            "extends": {"file": str(ROOT / "compose.yaml"), "service": "process"},
            "command": [f"{facts.CURRENT}/deploy/run.sh", facts.PROCESS, name],
            # One of its own besides the template's, which Compose does not let go of.
            "profiles": [PROFILE],
        }
        for name in site.processes
    }
    return encode.compose({"services": own})


def dist(site: Site, context: Path) -> str:
    """Return the folder of the site's release archives."""
    return str(context.parent / f"{site.name}-dist")


def servers(site: Site, context: Path, own: Path) -> dict[str, object]:
    """Return the variables that playbooks need for the site."""
    return {
        "tandem_release_folder": dist(site, context),
        "tandem_routes": str(own if own.exists() else context / "deploy" / "routes.yml"),
        "tandem_notify_instances": 0,
        "tandem_site_static": site.static,
        "tandem_site_secrets": [f"site_{name.lower()}" for name in site.secrets],
        "tandem_system_packages": list(site.system_packages),
        "tandem_processes": list(site.processes),
    }


def release(site: Site, context: Path) -> str:
    """Return a name for the release that the context makes: another content, another name."""
    digest = hashlib.sha256()
    for path in sorted(context.rglob("*")):
        if not path.is_file() or "work" in path.relative_to(context).parts[:1]:
            continue
        digest.update(f"{path.relative_to(context)}\0".encode(errors="surrogateescape"))
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return f"{site.name}-{digest.hexdigest()[:8]}"


def described_by(place: Path) -> Path:
    """Return the file that describes the site at a place; fail where there is none."""
    file = place / "tandem.yml" if place.is_dir() else place
    if not file.exists():
        raise Failed(f"{file} does not exist; 'tandem adopt {place}' writes it.")
    return file


def described(place: Path) -> tuple[Site, Path, Path]:
    """Return a site, the folder of its tandem.yml, and its source; fail where there is none."""
    file = described_by(place)
    site = load(file, files=True)
    source = (file.parent / site.source).resolve()
    if repository := repositories.parse(site.source):
        source, _ = repositories.fetch(repository, ROOT / ".cache" / "repositories")
        load(file, files=True, source=source)
    return site, file.parent, source


def debian(place: Path, given: str = "") -> str:
    """Return the Debian that the site at a place is built for: ``given``, or as it asks."""
    try:
        return python.debian(load(described_by(place)), given)
    except SiteError as error:
        raise Failed(f"{error}.") from None
    except OSError as error:
        raise Failed(f"{error.filename}: {error.strerror}.") from None


def lay_out(
    site: Site, home: Path, source: Path, context: Path, debian: str, programs: Programs
) -> None:
    """Make of ``context`` what this checkout is, with the site in the place of ``app/``."""
    shutil.rmtree(context, ignore_errors=True)
    work = context / "work"
    work.mkdir(parents=True)
    for folder in ("tandem", "deploy", "docker"):
        shutil.copytree(
            ROOT / folder, context / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copyfile(ROOT / ".dockerignore", context / ".dockerignore")
    copy(source, context / "app", {*site.include, *site.requirements})
    locked = lock(site, home, source, work, debian, programs)
    shutil.copyfile(locked, context / "requirements.lock")
    manage = context / "app" / site.root / "manage.py"
    if not manage.exists():
        manage.parent.mkdir(parents=True, exist_ok=True)
        manage.write_text(MANAGE)
    (context / "deploy" / "site.env").write_text(site_env(site))
    own = home / SITES
    routes = read_text(own, home) if own.exists() else beginning(site)
    (context / "deploy" / "routes.yml").write_text(routes)
    (work / "servers.json").write_text(json.dumps(servers(site, context, own)))
    (work / "compose.yaml").write_text(services(site))


def cache(home: Path) -> str:
    """Return the name of a site's build cache: of its place, as its name is for it to choose."""
    return f"site-{hashlib.sha256(os.fsencode(home)).hexdigest()[:12]}"


def composed(context: Path) -> dict[str, str]:
    """Return what has Compose know the processes of a site that has been laid out."""
    file = context / "work" / "compose.yaml"
    return {"COMPOSE_FILE": f"compose.yaml:{file}", "COMPOSE_PROFILES": PROFILE}


def environment_of(place: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment in which commands mean the stack of the site at a place."""
    try:
        site = load(described_by(place))
    except SiteError as error:
        raise Failed(f"{error}.") from None
    except OSError as error:
        raise Failed(f"{error.filename}: {error.strerror}.") from None
    # Its own processes, once 'make up' has written them.
    context = CONTEXTS / site.name
    own = composed(context) if (context / "work/compose.yaml").exists() else {}
    # One that cannot be had is told by what builds; to stop the stack it takes none.
    having = python.BY_PYTHON.get(site.python)
    chosen = {"DEBIAN_RELEASE": having} if having else {}
    usual = {"COMPOSE_PROJECT_NAME": f"tandem-{site.name}", "NOTIFY_INSTANCES": "0"}
    return usual | chosen | dict(environment) | own


def prepare(place: Path, debian: str, programs: Programs) -> dict[str, str]:
    """Lay a site out; return the settings of its stack, its release and its playbooks."""
    try:
        site, home, source = described(place)
        python.debian(site, debian)  # before anything is built
        context = CONTEXTS / site.name
        lay_out(site, home, source, context, debian, programs)
    except (SiteError, AdoptError) as error:
        raise Failed(f"{error}.") from None
    except OSError as error:
        raise Failed(f"{error.filename}: {error.strerror}.") from None
    return composed(context) | {
        "TANDEM_RELEASE": release(site, context),
        "SITE_VARIABLES": str(context / "work" / "servers.json"),
        "SITE_DIST": dist(site, context),
        "SITE_CONTEXT": str(context),
        "SITE_SYSTEM_PACKAGES": " ".join(site.system_packages),
        "SITE_BUILD_PACKAGES": " ".join(site.build_packages),
        "SITE_WHEELS": "wheel",
        "SITE_CACHE": cache(home),
    }


def processes(environment: Mapping[str, str]) -> list[str]:
    """Return the names of the site's own processes, once it is prepared."""
    file = environment.get("SITE_VARIABLES")
    return list(json.loads(Path(file).read_text())["tandem_processes"]) if file else []


def named(environment: Mapping[str, str]) -> Path | None:
    """Return the place that ``SITE`` names; ``None`` for this checkout's own site."""
    place = environment.get("SITE", "")
    return Path(place).resolve() if place else None
