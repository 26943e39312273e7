"""What of the lock of uv or Poetry a server needs: not what is for developers alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from packaging.markers import InvalidMarker, Marker, UndefinedEnvironmentName

from tandem.facts import DEBIANS

# Extras and groups of dependencies that no server wants.
DEVELOPERS = {
    "dev", "develop", "development", "test", "tests", "testing", "doc", "docs", "lint", "linting",
    "typing", "types", "ci", "debug",
}  # fmt: skip
# Sources of the site itself and of its parts, which are copied with it.
OWN = {"virtual", "editable", "directory"}
Package = dict[str, Any]
LINUX = {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "extra": ""}


def needed(document: dict[str, Any]) -> list[Package]:
    """Return the packages of a lock that must be installed on a server."""
    packages: list[Package] = document.get("package", [])
    # uv's, but for one with no project; Poetry's has the groups with each package instead.
    roots = [one for one in packages if one.get("source", {}).keys() & {"virtual", "editable"}]
    if not roots:
        for_servers = [one for one in packages if _for_servers(one.get("groups", ["main"]))]
        return [one for one in for_servers if not _own(one)]
    named: dict[str, list[Package]] = defaultdict(list)
    for one in packages:
        named[one["name"]].append(one)
    reached: set[tuple[str, str]] = set()
    waiting = [edge for root in roots for edge in _of_site(root)]
    while waiting:
        name, extra = edge = waiting.pop()
        if edge not in reached:
            reached.add(edge)
            for one in named[name]:
                of = one.get("optional-dependencies", {}).get(extra, []) if extra else None
                waiting += _edges(one.get("dependencies", []) if of is None else of)
    names = {name for name, _ in reached}
    return [one for one in packages if one["name"] in names and not _own(one)]


def requirement(package: Package) -> str:
    """Return ``django==5.2.1``, or the address of a package that no index has."""
    source = package.get("source", {})
    if source.get("type") == "git":  # Poetry's
        exact = f" @ git+{source['url']}@{source['resolved_reference']}"
    elif isinstance(source.get("git"), str):
        address, _, commit = source["git"].partition("#")
        exact = f" @ git+{address.partition('?')[0]}@{commit}"
    elif isinstance(source.get("url"), str) and "type" not in source:
        exact = f" @ {source['url']}"
    else:
        # A local version, as in 2.1+cpu, is of an index of its own.
        exact = f"=={package['version'].partition('+')[0]}"
    # Of one that is there twice, each is for other machines or Pythons.
    markers = " or ".join(f"({marker})" for marker in package.get("resolution-markers", []))
    return f"{package['name']}{exact}{markers and f' ; {markers}'}"


def _of_site(root: Package) -> Iterator[tuple[str, str]]:
    yield from _edges(root.get("dependencies", []))
    for kind in ("optional-dependencies", "dev-dependencies"):
        for group, dependencies in root.get(kind, {}).items():
            if _for_servers([group]):
                yield from _edges(dependencies)


def _edges(dependencies: list[Package]) -> Iterator[tuple[str, str]]:
    for one in dependencies:
        if not _on_debian(one.get("marker", "")):
            continue
        for extra in ["", *one.get("extra", [])]:
            yield one["name"], extra


def _on_debian(marker: str) -> bool:
    """Return whether ``marker`` is true on a server, as ``sys_platform == 'win32'`` never is."""
    try:
        return not marker or any(
            Marker(marker).evaluate(
                {**LINUX, "python_version": version, "python_full_version": f"{version}.0"}
            )
            for version in (debian.python for debian in DEBIANS.values())
        )
    except (InvalidMarker, UndefinedEnvironmentName):
        return True


def _for_servers(groups: list[str]) -> bool:
    return any(group not in DEVELOPERS for group in groups)


def _own(package: Package) -> bool:
    source = package.get("source", {})
    return bool(source.keys() & OWN) or source.get("type") == "directory"
