"""For which Python a site was made, and what it is called."""

from __future__ import annotations

import re

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from tandem.facts import DEBIANS
from tandem.ops.adopt.findings import Findings
from tandem.ops.adopt.project import Project
from tandem.ops.bounded.documents import toml_data

# file: where in it the version stands.
VERSIONS = {
    ".python-version": r"^(?:python-?)?(3\.\d+)",
    "runtime.txt": r"python-(3\.\d+)",
    "Pipfile": r'python_(?:full_)?version\s*=\s*"(3\.\d+)',
    "Dockerfile": r"FROM\s+\S*python:(3\.\d+)",
}
RANGE = (
    r"(?:requires-python|python_requires|^python)\s*=\s*"
    r"[\"']?([^\"'\n]{0,100}3\.\d{1,3}\b[^\"'\n]{0,100})"
)
RANGES = dict.fromkeys(("pyproject.toml", "uv.lock", "setup.cfg", "setup.py"), RANGE)
# Of the Pythons that there are; the newest first.
OWNERS = {debian.python: f"Debian {debian.version}'s" for debian in reversed(DEBIANS.values())}


def version(project: Project, out: Findings) -> None:
    """Note ``python``: the one that the site names, or one that it allows and that there is."""
    exact, at = _first(project, VERSIONS)
    asked, place = _first(project, RANGES)
    asked = asked.strip().rstrip(",")
    of_range = f"{asked} ({place})" if asked else ""
    allowed = [one for one in OWNERS if not asked or allows(asked, one)]
    if exact in OWNERS:
        out.found("python", exact, at)
    elif allowed and (exact or asked):
        missed = f"no Debian has {exact} ({at})" if exact else ""
        whose = f"{OWNERS[allowed[0]]}, the newest that the site allows"
        out.found("python", allowed[0], "; ".join(filter(None, (whose, of_range, missed))))
    elif exact or asked:
        wanted = exact or ".".join(re.findall(r"\d+", asked)[:2])
        out.found("python", wanted, at or of_range)
        out.decide("python", f"no Debian has {wanted}; there are {', '.join(OWNERS)}")


def _first(project: Project, forms: dict[str, str]) -> tuple[str, str]:
    """Return what the first file has that has it, and where; nothing where none has."""
    for base in dict.fromkeys((project.root, project.folder.path)):
        for name, form in forms.items():
            text = project.folder.text(base / name)
            if match := re.search(form, text, re.MULTILINE):
                line = text[: match.start()].count("\n") + 1
                return match[1], f"{project.folder.place(base / name)}:{line}"
    return "", ""


def allows(asked: str, version: str) -> bool:
    """Tell whether a range of pip, uv or Poetry has a Python of ``version`` (3.13)."""
    return any(_within(one, version) for one in asked.split("||"))


def _within(asked: str, version: str) -> bool:
    # Poetry's own: ^3.11 ends before 4, and ~3.11, as a plain version, has one minor version.
    text = re.sub(r"\^\s*", ">=", asked)
    text = re.sub(
        r"(?:^|(?<=[,\s]))(?:~|===?)?\s*(\d+\.\d+)(?:\.[\d*]+)?(?=\s*(?:,|$))", r"==\1.*", text
    )
    try:
        found = SpecifierSet(text)
    except InvalidSpecifier:
        return True  # whoever installs will see
    return any(found.contains(f"{version}{patch}") for patch in ("", ".99"))


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
