"""For which Python a site was made, and what it is called."""

from __future__ import annotations

import re

from tandem.ops.adopt.findings import Findings
from tandem.ops.adopt.project import Project
from tandem.ops.bounded.documents import toml_data

# file: where in it the version stands; the exact ones first.
VERSIONS = {
    ".python-version": r"^(?:python-?)?(3\.\d+)",
    "runtime.txt": r"python-(3\.\d+)",
    "Pipfile": r'python_(?:full_)?version\s*=\s*"(3\.\d+)',
    "Dockerfile": r"FROM\s+\S*python:(3\.\d+)",
}


def version(project: Project, out: Findings) -> None:
    """Note ``python``."""
    bases = dict.fromkeys((project.root, project.folder.path))
    for base in bases:
        for name, form in VERSIONS.items():
            text = project.folder.text(base / name)
            if match := re.search(form, text, re.MULTILINE):
                line = text[: match.start()].count("\n") + 1
                place = project.folder.place(base / name)
                out.found("python", match[1], f"{place}:{line}")
                return
    for base in bases:
        for name in ("pyproject.toml", "uv.lock", "setup.cfg", "setup.py"):
            text = project.folder.text(base / name)
            form = r"(?:requires-python|python_requires|^python)\s*=\s*[\"']?\D*(3\.\d+)[^\n]*"
            if match := re.search(form, text, re.MULTILINE):
                place = project.folder.place(base / name)
                line = text[: match.start()].count("\n") + 1
                out.found("python", match[1], f"{match[0].strip().rstrip(',')} ({place}:{line})")
                return


def name(project: Project, out: Findings, given: str) -> None:
    """Note ``name``: as given, as in pyproject.toml, or the folder's."""
    if given:
        out.found("name", given, "as given")
        return
    file = project.folder.path / "pyproject.toml"
    try:
        document = toml_data(project.folder.text(file))
    except ValueError:
        document = {}
    tool = document.get("tool", {}).get("poetry", {})
    wanted = document.get("project", {}).get("name") or tool.get("name") or ""
    why = "its name in pyproject.toml" if wanted else "the folder's name"
    out.found("name", slug(wanted or project.folder.path.name), why)


def slug(text: str) -> str:
    """Return ``text`` as a name that images and services may have."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-0123456789") or "site"
