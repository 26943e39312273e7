"""Make of any Django site what the images and releases are built from.

Usage: ``docker/site.py SITE [DEBIAN]`` with SITE a folder with a ``tandem.yml`` (``tandem
adopt`` writes it), or that file, and DEBIAN trixie (the default) or bookworm.

Writes ``.cache/sites/NAME``, a folder laid out as this checkout is, so that everything
else works for the site as it does for ``app/``, and prints the settings of its stack as
``NAME=value`` for the shell.  The site's own folder gets a file of locked packages only.
"""

from __future__ import annotations

import hashlib
import json
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tandem.adopt import locks  # noqa: E402
from tandem.adopt import repository as repositories  # noqa: E402
from tandem.adopt.findings import AdoptError  # noqa: E402
from tandem.adopt.model import Site, SiteError, load  # noqa: E402
from tandem.routes.place import SITES, beginning  # noqa: E402

PYTHON = {"trixie": "3.13", "bookworm": "3.11"}
# What serves any site; in the versions that this checkout has locked.
SERVERS = ("gunicorn", "uvicorn", "uvloop", "httptools", "websockets")
# What tandem.adopted needs, in any version that suits the site.
NEEDS = ("asgiref", "pyyaml>=6", "redis>=5")
# Whatever version a site's lock or Django asks for: tandem.asgi uses what came with it.
NEWER = ("asgiref>=3.13",)
PROFILE = "processes"  # of the replica's services; in the Makefile as well
REDIS = "unix:///run/redis-tandem/redis-server.sock"
LEFT_OUT = {".git", ".hg", ".venv", "venv", "node_modules", "__pycache__", ".tox", ".cache"}
MANAGE = '''\
"""Django's command line; the site came without."""

import sys

from django.core.management import execute_from_command_line

execute_from_command_line(sys.argv)
'''


def fail(sentence: str) -> None:
    """Exit with a sentence."""
    sys.exit(f"tandem: {sentence}")


def nested(name: Path, source: Path) -> bool:
    """Tell whether what git lists is a submodule that is there, or a link to a folder beside."""
    if name.is_symlink():
        target = name.resolve()
        around = name.parent.resolve().is_relative_to(target)  # it would never end
        return target.is_dir() and target.is_relative_to(source.resolve()) and not around
    return (name / ".git").exists()


def files(source: Path) -> list[Path]:
    """Return what belongs to the site: what git knows, or else all but what tools leave."""
    listed = subprocess.run(
        ["git", "-C", source, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "."],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    if listed.returncode == 0 and listed.stdout:
        names = [source / name for name in listed.stdout.split("\0") if name]
        inside = [file for name in names if nested(name, source) for file in files(name)]
        return [name for name in names if name.is_file()] + inside
    return [
        path
        for path in source.rglob("*")
        if path.is_file() and not LEFT_OUT & set(path.relative_to(source).parts)
    ]


def copy(source: Path, target: Path, include: tuple[str, ...] = ()) -> None:
    """Copy a site, and of what git ignores, what ``include`` names."""
    named = [source / name for name in include]
    more = [path for one in named for path in (one, *one.rglob("*")) if path.is_file()]
    for path in [*files(source), *more]:
        to = target / path.relative_to(source)
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, to)


def pins(lock: Path) -> list[str]:
    """Return ``["django==5.2.1", …]`` from the lock file of a packaging tool."""
    if lock.name == "Pipfile.lock":
        entries = json.loads(lock.read_text())["default"]
        return [
            f"{name}{entry['version']}" for name, entry in entries.items() if "version" in entry
        ]
    return [locks.requirement(one) for one in locks.needed(tomllib.loads(lock.read_text()))]


def requirements(site: Site, source: Path) -> tuple[list[str], list[Path]]:
    """Return the site's requirements by name, and the files with more of them."""
    names, found = list(site.packages), []
    for file in (source / name for name in site.requirements):
        if file.suffix == ".lock":
            names += pins(file)
        else:
            found.append(file)
    return names, found


def missing(site: Site, locked: str) -> list[str]:
    """Return what Tandem's settings for the site need and nothing of the site asks for."""
    have = {line.partition("==")[0] for line in locked.splitlines()}
    found = []
    if site.database == "postgresql" and not have & {"psycopg", "psycopg2", "psycopg2-binary"}:
        found.append("psycopg[binary]>=3.2")
    if site.redis and "channels" in have and "channels-redis" not in have:
        found.append("channels-redis>=4.2")
    return found


def resolve(site: Site, names: list[str], found: list[Path], work: Path, debian: str) -> str:
    """Return every package with version and hashes, or exit with the resolver's reason."""
    named = work / "named.in"
    named.write_text("\n".join([*names, *NEEDS, *SERVERS]) + "\n")
    done = subprocess.run(
        [ROOT / ".venv/bin/python", ROOT / "docker/uv.py", "pip", "compile", "--quiet",
         "--generate-hashes", "--no-header", "--no-annotate", "--python-version", PYTHON[debian],
         "--python-platform", "linux",
         "--overrides", work / "overrides.in", named, *found],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        print(done.stderr.strip()[-1500:], file=sys.stderr)
        fail(
            f"the packages of {site.name} do not go together, or not with Tandem's servers or"
            f" Python {PYTHON[debian]} of Debian's {debian} (above)."
        )
    return done.stdout


def lock(site: Site, home: Path, source: Path, work: Path, debian: str) -> Path:
    """Resolve the site's requirements once, beside its tandem.yml; return the locked file."""
    names, found = requirements(site, source)
    ours = [
        line.split(" ")[0]
        for line in (ROOT / "requirements.lock").read_text().splitlines()
        if line.split("==")[0] in SERVERS
    ]
    ours += NEWER
    # A site that has servers of its own, in other versions, is not asked: it gets these.
    (work / "overrides.in").write_text("\n".join(ours) + "\n")
    facts = repr((names, site.database, site.redis, ours, [file.read_text() for file in found]))
    mark = f"# for {debian}, from {hashlib.sha256(facts.encode()).hexdigest()[:16]}\n"
    target = home / f"tandem-{debian}.lock"
    if target.exists() and target.read_text().startswith(mark):
        return target
    print(f"tandem: resolving the packages of {site.name}.", file=sys.stderr)
    locked = resolve(site, names, found, work, debian)
    if more := missing(site, locked):
        locked = resolve(site, [*names, *more], found, work, debian)
    target.write_text(mark + locked)
    return target


def site_env(site: Site) -> str:
    """Return ``deploy/site.env`` of the site."""
    values = {
        "DJANGO_SETTINGS_MODULE": "tandem.adopted.settings",
        "WSGI_APPLICATION": "tandem.adopted.wsgi:application",
        "ASGI_APPLICATION": "tandem.adopted.asgi:application",
        "SITE_SETTINGS": site.settings,
        "SITE_WSGI": site.wsgi,
        "SITE_ASGI": site.asgi,
        "SITE_DATABASE": site.database,
        "SITE_REDIS": "on" if site.redis else "",
        **({"REDIS_URL": REDIS} if site.redis else {}),
        **site.environment,
    }
    fixed = {
        "TANDEM_ROOT": "" if site.root == "." else site.root,
        "SITE_PYTHON_PATH": " ".join(p for p in site.python_path if p != "."),
        "SITE_BUILD": "\n".join(site.build),
        "SITE_SETUP": "\n".join(site.setup),
        "SITE_DEMO": "",
        "SITE_STATIC": "on" if site.static else "",
        "SITE_SECRETS": " ".join(site.secrets),
        "SITE_PROCESSES": "\n".join(f"{name} {how}" for name, how in site.processes.items()),
    }
    lines = [f"{name}=${{{name}-{shlex.quote(str(value))}}}" for name, value in values.items()]
    lines += [f"{name}={shlex.quote(value)}" for name, value in fixed.items()]
    return "\n".join([f"# Written from {site.name}'s tandem.yml by docker/site.py.", *lines, ""])


def services(site: Site) -> str:
    """Return the part of the stack for the site's own processes (YAML is a superset of JSON)."""
    own = {
        name: {
            "extends": {"file": str(ROOT / "compose.yaml"), "service": "process"},
            "command": ["/srv/tandem/current/deploy/run.sh", "process", name],
            # One of its own besides the template's, which Compose does not let go of.
            "profiles": [PROFILE],
        }
        for name in site.processes
    }
    return json.dumps({"services": own}, indent=1)


def servers(site: Site, context: Path, own: Path) -> dict[str, object]:
    """Return the variables that playbooks need for the site (docker/play.sh)."""
    return {
        "tandem_release_folder": str(context.parent / f"{site.name}-dist"),
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
        digest.update(f"{path.relative_to(context)}\0".encode() + path.read_bytes())
    return f"{site.name}-{digest.hexdigest()[:8]}"


def main() -> None:
    """Do what the command line says."""
    place, debian = Path(sys.argv[1]).resolve(), (sys.argv[2:] or ["trixie"])[0]
    file = place / "tandem.yml" if place.is_dir() else place
    if not file.exists():
        fail(f"{file} does not exist; 'tandem adopt {place}' writes it.")
    try:
        site = load(file, files=True)
        home, source = file.parent, (file.parent / site.source).resolve()
        if repository := repositories.parse(site.source):
            source, _ = repositories.fetch(repository, ROOT / ".cache" / "repositories")
            load(file, files=True, source=source)
    except (SiteError, AdoptError) as error:
        fail(f"{error}.")
    context = ROOT / ".cache" / "sites" / site.name
    shutil.rmtree(context, ignore_errors=True)
    context.mkdir(parents=True)
    work = context / "work"
    work.mkdir()
    locked = lock(site, home, source, work, debian)
    for folder in ("tandem", "deploy", "docker"):
        shutil.copytree(
            ROOT / folder, context / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    copy(source, context / "app", site.include)
    manage = context / "app" / site.root / "manage.py"
    if not manage.exists():
        manage.parent.mkdir(parents=True, exist_ok=True)
        manage.write_text(MANAGE)
    shutil.copyfile(locked, context / "requirements.lock")
    shutil.copyfile(ROOT / ".dockerignore", context / ".dockerignore")
    (context / "deploy" / "site.env").write_text(site_env(site))
    own = home / SITES
    (context / "deploy" / "routes.yml").write_text(
        own.read_text() if own.exists() else beginning(site)
    )
    variables = servers(site, context, own)
    (context / "work" / "servers.json").write_text(json.dumps(variables))
    (context / "work" / "compose.yaml").write_text(services(site))
    for name, value in {
        "TANDEM_RELEASE": release(site, context),
        "SITE_VARIABLES": str(context / "work" / "servers.json"),
        "SITE_DIST": variables["tandem_release_folder"],
        "COMPOSE_FILE": f"compose.yaml:{context}/work/compose.yaml",
        "COMPOSE_PROFILES": PROFILE,
        "SITE_CONTEXT": str(context),
        "SITE_SYSTEM_PACKAGES": " ".join(site.system_packages),
        "SITE_BUILD_PACKAGES": " ".join(site.build_packages),
        "SITE_WHEELS": "wheel",
    }.items():
        print(f"export {name}={shlex.quote(str(value))}")


if __name__ == "__main__":
    main()
