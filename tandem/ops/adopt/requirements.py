"""What a site requires, in whatever form it says so."""

from __future__ import annotations

import ast
import configparser
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tandem.ops.adopt import locks
from tandem.ops.adopt.debian import NEEDS
from tandem.ops.adopt.findings import Findings
from tandem.ops.adopt.folder import Place, calls, strings
from tandem.ops.adopt.project import PRODUCTION, Project
from tandem.ops.bounded.documents import json_data, toml_data

# Best first: what names exact versions, then what is for production.
FORMS = (
    "uv.lock", "poetry.lock", "Pipfile.lock",
    *(f"requirements/{name}.txt" for name in PRODUCTION),
    *(f"requirements{mark}{name}.txt" for name in PRODUCTION for mark in "-_"),
    "requirements.txt", "requirements/requirements.txt", "requirements/base.txt",
    "pyproject.toml",
)  # fmt: skip
NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(\[[^\]]*\])?")


@dataclass
class Requirements:
    """Names of what is required, each with where."""

    names: dict[str, Place] = field(default_factory=dict)
    file: str = ""
    complete: bool = True  # False: some could not be read

    def __contains__(self, name: str) -> bool:
        return name in self.names

    def add(self, text: str, place: Place) -> None:
        """Add the requirement in ``text``, with each of its extras as ``name[extra]``."""
        if "git+" in text:
            self.names.setdefault("git+", place)
        if match := NAME.match(text):
            name = re.sub(r"[-_.]+", "-", match[1]).lower()
            self.names.setdefault(name, place)
            for extra in (match[2] or "[]")[1:-1].split(","):
                if extra.strip():
                    self.names.setdefault(f"{name}[{extra.strip().lower()}]", place)


def find(project: Project, findings: Findings) -> Requirements:
    """Find the file of requirements and what it names; note both."""
    folder = project.folder
    found = Requirements()
    for base in dict.fromkeys((project.root, folder.path)):
        for form in FORMS:
            file = base / form
            if file.is_file() and _read(project, file, found):
                found.file = project.relative(file)
                count = sum("[" not in name for name in found.names)
                findings.found("requirements", [found.file], f"{found.file}: {count} packages")
                _others(project, base, form, findings)
                _extras(project, file, findings)
                return found
    for base in dict.fromkeys((project.root, folder.path)):
        if _setup(project, base, findings, found) or _groups(project, base, findings, found):
            return found
        if (base / "Pipfile").is_file():
            findings.found("requirements", [])
            findings.decide("requirements", "Pipfile has no lock beside it; run `pipenv lock`")
            return found
    findings.found("requirements", [])
    findings.decide("requirements", "no requirements were found; name the file, or packages")
    found.complete = False
    return found


def _others(project: Project, base: Path, form: str, findings: Findings) -> None:
    beside = [one for one in FORMS if one != form and (base / one).is_file()]
    if beside:
        findings.found("requirements", findings.value("requirements"), f"not {', '.join(beside)}")


def _extras(project: Project, file: Path, findings: Findings) -> None:
    """Say which extras of the site are left out, where its owner could miss them."""
    if file.name != "pyproject.toml":
        return
    document = toml_data(project.folder.text(file))
    extras = [*document.get("project", {}).get("optional-dependencies", {})]
    if extras:
        why = f"without the extras {', '.join(extras)}: what is needed of them goes into packages"
        findings.found("requirements", findings.value("requirements"), why)


def _read(project: Project, file: Path, found: Requirements) -> bool:
    """Add what ``file`` requires; return whether it requires anything."""
    place = project.folder.place(file)
    text = project.folder.text(file)
    before = len(found.names)
    try:
        if file.name in ("uv.lock", "poetry.lock"):
            for package in locks.needed(toml_data(text)):
                found.add(package["name"], place)
        elif file.name == "Pipfile.lock":
            for name in json_data(text).get("default", {}):
                found.add(name, place)
        elif file.name == "pyproject.toml":
            for requirement in _pyproject(toml_data(text)):
                found.add(requirement, place)
        else:
            _lines(project, file, found, set())
    except (ValueError, KeyError, TypeError, AttributeError):  # not what it says it is
        return False
    return len(found.names) > before


def _lines(project: Project, file: Path, found: Requirements, seen: set[Path]) -> None:
    """Read a requirements file of pip with all that it includes."""
    if file in seen or not file.is_relative_to(project.folder.path):
        return
    seen.add(file)
    for number, line in enumerate(project.folder.text(file).splitlines(), 1):
        line = re.sub(r"(^|\s)#.*", "", line).strip()
        place = Place(project.folder.place(file).file, number)
        if include := re.match(r"(?:-r|--requirement)[ =]?\s*(\S+)", line):
            _lines(project, (file.parent / include[1]).resolve(), found, seen)
        elif line.startswith("-e"):
            found.add(line[2:].split("#egg=")[-1], place)
        elif line and not line.startswith("-"):
            found.add(line, place)


def _pyproject(document: dict[str, Any]) -> list[str]:
    names = [str(one) for one in document.get("project", {}).get("dependencies", [])]
    poetry = document.get("tool", {}).get("poetry", {}).get("dependencies", {})
    for name, version in poetry.items():
        extras = version.get("extras", []) if isinstance(version, dict) else []
        names += [f"{name}[{','.join(extras)}]" if extras else name] if name != "python" else []
    return names


def _setup(project: Project, base: Path, findings: Findings, found: Requirements) -> bool:
    """Read ``install_requires`` of setup.cfg or setup.py into ``packages``."""
    wanted: list[str] = []
    config, setup = base / "setup.cfg", base / "setup.py"
    place = project.folder.place(config)
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(project.folder.text(config))
        wanted = parser.get("options", "install_requires", fallback="").splitlines()
    except configparser.Error:
        pass
    if not any(line.strip() for line in wanted):
        place = project.folder.place(setup)
        for call in calls(project.folder.tree(setup) or ast.Module([], []), "setup"):
            for one in call.keywords:
                if one.arg == "install_requires" and isinstance(one.value, ast.List | ast.Tuple):
                    wanted = strings(one.value)
    wanted = [line.strip() for line in wanted if line.strip()]
    if wanted:
        findings.found("requirements", [], f"none but install_requires of {place}: see packages")
        findings.found("packages", wanted, f"install_requires of {place}")
        for line in wanted:
            found.add(line, place)
    return bool(wanted)


def _groups(project: Project, base: Path, findings: Findings, found: Requirements) -> bool:
    """Read the groups of a pyproject.toml that names no dependencies into ``packages``."""
    file = base / "pyproject.toml"
    try:
        groups = toml_data(project.folder.text(file)).get("dependency-groups", {})
    except ValueError:
        return False
    chosen = {name: of for name, of in groups.items() if name.lower() not in locks.DEVELOPERS}
    wanted = [one for of in chosen.values() for one in of if isinstance(one, str)]
    if wanted:
        place = project.folder.place(file)
        findings.found("requirements", [], f"none but groups of {place}: see packages")
        findings.found("packages", wanted, f"the groups {', '.join(chosen)} of {place}")
        for line in wanted:
            found.add(line, place)
    return bool(wanted)


def debian(
    required: Requirements, apps: list[Any], places: dict[str, Place], out: Findings
) -> None:
    """Note the Debian packages that the requirements and Django's GIS need."""
    for name, (run, build) in NEEDS.items():
        place = required.names.get(name)
        if name == "django.contrib.gis" and name in apps:
            place = places.get("INSTALLED_APPS", Place(""))
        if place is None:
            continue
        if name == "psycopg" and {"psycopg[binary]", "psycopg-binary"} & set(required.names):
            continue
        for package in run:
            out.item("system_packages", package, f"{name} ({place})")
        for package in build:
            out.item("build_packages", package, f"{name} ({place})")
