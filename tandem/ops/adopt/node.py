"""What a site builds for browsers by Node: the folders with a package.json, and which Node."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tandem.ops.adopt.findings import Findings
from tandem.ops.adopt.model import FOLDER, NODE
from tandem.ops.adopt.project import SIDE, Project
from tandem.ops.bounded.documents import DocumentError, json_data

# What others have made, and is kept as it is.
VENDORED = {"vendor", "vendored", "third_party", "static", "assets"}
# Apps that serve what a build has made: one that is called otherwise is meant, too.
SERVED = ("django_vite", "webpack_loader", "tailwind")
SCRIPTS = ("build", "build:prod", "build:production", "production", "prod")
# file: where in it the version stands; the exact ones first.
NUMBER = r"([1-9]\d{0,3}(?:\.\d{1,4}){0,2})(?!\d)"
VERSIONS = {
    ".nvmrc": rf"\Av?{NUMBER}\s*\Z",
    ".node-version": rf"\Av?{NUMBER}\s*\Z",
    ".tool-versions": rf"^nodejs\s+{NUMBER}\s*$",
    "Dockerfile": rf"^FROM\s+(?:--\S+\s+)?\S*\bnode:{NUMBER}(?![\d.])",
}


def front_ends(project: Project, apps: list[Any], out: Findings) -> None:
    """Note ``front_ends`` and ``node``."""
    served = next((app for app in SERVED if app in apps), "")
    names = SCRIPTS if served else SCRIPTS[:1]
    found: dict[Path, str] = {}
    for file in project.folder.files:  # the nearest to the top first
        base, relative = file.parent, file.relative_to(project.folder.path)
        # Of a workspace, the folder that holds it builds all.
        if file.name != "package.json" or found.keys() & {base, *base.parents}:
            continue
        if not (SIDE | VENDORED) & set(relative.parts):
            scripts = _mapping(_package(project, file), "scripts")
            if name := next((one for one in names if one in scripts), ""):
                found[base], place = f"npm run {name}", relative.parent.as_posix()
                if not re.fullmatch(FOLDER, place):
                    out.decide(
                        "front_ends", f"{_shown(place)}: give it a plain name, and name it", {}
                    )
                    continue
                why = f"{relative.as_posix()} has it: {_shown(scripts[name])}"
                out.entry("front_ends", place, found[base], why)
    if found:
        _version(project, list(found), out)
    elif served:
        out.decide("front_ends", f"{served} serves what a build makes, and none was found", {})


def _version(project: Project, folders: list[Path], out: Findings) -> None:
    bases = dict.fromkeys([*folders, project.root, project.folder.path])
    for base in bases:
        for name, form in VERSIONS.items():
            file = base / name
            if match := re.search(form, project.folder.text(file), re.MULTILINE):
                out.found("node", match[1], f"{project.folder.place(file)}")
                return
    for base in bases:
        package = _package(project, base / "package.json")
        for key in ("volta", "engines"):
            asked = _mapping(package, key).get("node")
            if isinstance(asked, str) and (version := within(asked)):
                place = project.folder.place(base / "package.json")
                out.found("node", version, f"{key}: {_shown(asked)} ({place})")
                return


def within(asked: str) -> str:
    """Return a version in a range of npm: the usual one if that is, else what the range names."""
    if not (named := re.findall(rf"(\^|~|<=?|>=?)?\s*v?(?<![\d.]){NUMBER}", asked)):
        return ""
    least = min((_major(version) for sign, version in named if "<" not in sign), default=0)
    open_ended = any(">" in sign for sign, _ in named)
    most = min((_major(version) for sign, version in named if "<" in sign), default=0)
    if open_ended and least <= _major(NODE) and (not most or _major(NODE) < most):
        return NODE
    # The last of several ("^20 || ^22") is the newest that its makers have tried.
    sign, version = next((one for one in reversed(named) if "<" not in one[0]), ("", ""))
    return str(_major(version)) if sign == "^" else version


def _major(version: str) -> int:
    return int(version.partition(".")[0])


def _package(project: Project, file: Path) -> Any:
    try:
        return json_data(project.folder.text(file))
    except DocumentError:
        return {}


def _mapping(document: Any, key: str) -> dict[str, Any]:
    value = document.get(key) if isinstance(document, dict) else None
    return value if isinstance(value, dict) else {}


def _shown(text: Any) -> str:
    """Return a stranger's text as it may stand in a comment."""
    return "".join(one for one in str(text)[:80] if one.isprintable())
