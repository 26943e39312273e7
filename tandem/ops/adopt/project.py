"""Find a site's project: where manage.py is, which settings serve, what is imported from where."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

from tandem.ops.adopt.findings import AdoptError, Findings
from tandem.ops.adopt.folder import Folder, Place, calls, strings

VARIABLE = "DJANGO_SETTINGS_MODULE"
PRODUCTION = ("production", "prod", "live", "deploy", "deployment", "server", "heroku", "docker")
# Not what a server runs with.
OTHERS = {
    "dev", "develop", "development", "local", "test", "tests", "testing", "base", "common", "ci",
    "defaults", "default", "debug",
}  # fmt: skip
# Of these, what others may be built on: better than nothing.
BASES = {"base", "common", "default", "defaults"}
# Where else the settings of servers may be named.
ELSEWHERE = re.compile(
    r"(^|/)(Procfile|uwsgi\.ini|Dockerfile\S*|app\.json|fly\.toml|render\.yaml|nixpacks\.toml"
    r"|(docker-)?compose\S*\.ya?ml|\S*deploy\S*\.ya?ml|\S*\.service|\S*\.env\S*|\S*\.sh)$"
)
EXAMPLE = re.compile(
    r"(\w+?)[._-](?:example|sample|dist|template)\.py$"
    r"|(\w+)\.py[._-](?:example|sample|dist|template)$"
)
# An import that may fail: it is tried, or its file is looked for.
OPTIONAL = re.compile(r"^\s*(try:|(el)?if .*exists\(.*:).*\n(\s*#.*\n)*.*", re.MULTILINE)
# Example and test projects inside of a site's repository.
SIDE = {"tests", "test", "example", "examples", "sandbox", "demo", "docs", "testproject"}


@dataclass
class Project:
    """A Django project in a folder."""

    folder: Folder
    root: Path
    python_path: list[Path]
    settings: str = ""

    def file(self, module: str) -> Path | None:
        """Return the file of the site's module."""
        return self.folder.module(module, self.python_path)

    def relative(self, path: Path) -> str:
        """Return ``path`` as it is written in tandem.yml."""
        return path.relative_to(self.folder.path).as_posix()


def find(folder: Folder, findings: Findings, settings: str = "") -> Project:
    """Return the one project in ``folder``, with ``settings`` if those are given.

    Raises ``AdoptError`` where there is none or where there are several.
    """
    manage = _manage(folder)
    entries = [file for file in folder.files if file.name in ("wsgi.py", "asgi.py")]
    if manage is not None:
        root = manage.parent
        findings.found("root", _path(folder, root), f"manage.py ({folder.place(manage)})")
    elif entries or settings:
        root = _above(entries[0]) if entries else folder.path
        if not root.is_relative_to(folder.path):
            raise AdoptError(f"{folder.path} is a package, not a site's folder; give the one above")
        reason = f"no manage.py; {folder.place(entries[0])} is there" if entries else "as given"
        findings.found("root", _path(folder, root), reason)
    else:
        raise AdoptError(
            f"{folder.path} is no Django site: it has no manage.py, wsgi.py or asgi.py;"
            " name its folder, or its settings with --settings"
        )
    entries = [file for file in entries if file.is_relative_to(root)] or entries
    project = Project(folder, root, [root])
    _python_path(project, [*([manage] if manage else []), *entries[:4]], findings)
    project.settings = _settings(project, manage, entries, findings, settings)
    _examples(project, findings)
    findings.found("python_path", [_path(folder, path) for path in project.python_path])
    return project


def _manage(folder: Folder) -> Path | None:
    found = [file for file in folder.files if file.name == "manage.py" and _is_manage(folder, file)]
    main = [f for f in found if not SIDE & set(f.relative_to(folder.path).parts[:-1])] or found
    if not main:
        return None
    nearest = [file for file in main if len(file.parts) == len(main[0].parts)]
    if len(nearest) > 1:
        names = ", ".join(_path(folder, file.parent) for file in nearest)
        raise AdoptError(
            f"{folder.path} has several Django projects ({names}); name the folder of one"
        )
    return nearest[0]


def _is_manage(folder: Folder, file: Path) -> bool:
    text = folder.text(file)
    return VARIABLE in text or "execute_from_command_line" in text


def _above(entry: Path) -> Path:
    """Return the folder from which the package of ``entry`` is imported."""
    folder = entry.parent
    while (folder / "__init__.py").exists():
        folder = folder.parent
    return folder if folder != entry.parent else entry.parent.parent


def _path(folder: Folder, path: Path) -> str:
    return path.relative_to(folder.path).as_posix()


def _python_path(project: Project, files: list[Path], findings: Findings) -> None:
    """Add the folders that manage.py and its like put into ``sys.path``, and src/."""
    for file in files:
        tree = project.folder.tree(file)
        for call in calls(tree, "append", "insert") if tree else ():
            if not ast.unparse(call.func).startswith("sys.path."):
                continue
            words = [word for word in strings(call) if word.strip("./")]
            added = project.root.joinpath(*words) if words else project.root
            inside = added.resolve().is_relative_to(project.folder.path)
            if words and inside and added.is_dir() and added not in project.python_path:
                project.python_path.append(added)
                place = project.folder.place(file, call)
                findings.found("python_path", None, f"sys.path gets {words[-1]} ({place})")
    source = project.folder.path / "src"
    if source.is_dir() and source not in project.python_path and project.root != source:
        packages = [one for one in source.iterdir() if (one / "__init__.py").exists()]
        if packages:
            project.python_path.append(source)
            findings.found("python_path", None, f"src/ has the package {packages[0].name}")


def named_settings(folder: Folder, file: Path) -> tuple[str, Place] | None:
    """Return the settings module that manage.py or wsgi.py has as its default, and where."""
    tree = folder.tree(file)
    if tree is None:
        return None
    for call in calls(tree, "setdefault", "get", "getenv"):
        words = strings(call)
        if VARIABLE in words and len(words) > 1:
            return words[words.index(VARIABLE) + 1], folder.place(file, call)
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and VARIABLE in ast.unparse(node.targets[0]):
            words = strings(node.value)
            if words:
                return words[0], folder.place(file, node)
    return None


def _settings(
    project: Project, manage: Path | None, entries: list[Path], findings: Findings, given: str
) -> str:
    """Return the settings module that a server should run with."""
    if given:
        if project.file(given) is None:
            raise AdoptError(f"there is no settings module {given} in {project.folder.path}")
        findings.found("settings", given, "as given")
        return given
    # What the server's entry point names comes before manage.py, which is for developers.
    candidates = []
    for file in [*sorted(entries, key=lambda file: file.name != "wsgi.py"), manage]:
        named = named_settings(project.folder, file) if file else None
        if named and project.file(named[0]):
            candidates.append(named)
    if not candidates:
        if elsewhere := _elsewhere(project):
            candidates = [elsewhere]
        elif found := _anywhere(project):
            candidates = [(found, Place(project.relative(project.file(found) or project.root)))]
        else:
            raise AdoptError(
                f"{project.folder.path}: no settings module found; name it with --settings"
            )
    module, place = candidates[0]
    why = f"{module} is named in {place}" if place.line else f"found as {place}"
    if production := _production(project, module):
        file = project.file(production)
        where = project.folder.place(file) if file else ""
        findings.found("settings", production, why, f"{where} beside it is the one for servers")
        return production
    findings.found("settings", module, why)
    if set(re.split(r"[._]", module)) & (OTHERS - BASES):
        findings.decide("settings", f"{module} sounds as if it were not for servers")
    return module


def _production(project: Project, module: str) -> str:
    """Return the sibling of ``module`` that is for production, if ``module`` is not itself."""
    package, _, last = module.rpartition(".")
    if last in PRODUCTION:
        return ""
    siblings = []
    file = project.file(module)
    if file is not None and file.name == "__init__.py":
        # A package with settings of its own chooses by itself, but not for servers if what
        # it takes first is for developers.
        text = project.folder.text(file)
        first = re.search(r"^\s*from \.(\w+) import \*", text, re.MULTILINE)
        developers = first is not None and first[1] in OTHERS - BASES
        if (len(text.strip()) > 200 or "import" in text) and not developers:
            return ""
        siblings = [f"{module}.{name}" for name in PRODUCTION]
    elif last in OTHERS or last.removesuffix("_settings") in OTHERS:
        siblings = [f"{package}.{name}" if package else name for name in PRODUCTION]
    siblings += [f"{module}_{name}" for name in PRODUCTION[:2]]
    siblings += [f"{package}.{name}_settings" if package else name for name in PRODUCTION[:2]]
    return next((name for name in siblings if project.file(name)), "")


def _examples(project: Project, findings: Findings) -> None:
    """Ask for the modules that the settings want, and of which there is only an example."""
    file = project.file(project.settings)
    beside = [one for one in project.folder.files if file and one.parent == file.parent]
    for one in beside:
        match = EXAMPLE.match(one.name)
        name = match[1] or match[2] if match else ""
        if not name or (one.parent / f"{name}.py").exists():
            continue
        # One that is tried, or looked for, may be missing.
        wanted = re.compile(rf"^[^#\n]*(\.|import ){name}\b", re.MULTILINE)
        texts = (project.folder.text(other) for other in beside if other.suffix == ".py")
        if any(wanted.search(re.sub(OPTIONAL, "", text)) for text in texts):
            place = project.folder.place(one)
            findings.decide("settings", f"{name}.py is missing; {place} shows what is in it")


def _elsewhere(project: Project) -> tuple[str, Place] | None:
    """Return the settings that a file about servers names, and where."""
    found = []
    hidden = sorted(project.folder.path.glob(".*/*.y*ml"))  # of platforms
    for file in [*project.folder.files, *hidden]:
        name = project.relative(file)
        text = project.folder.text(file) if ELSEWHERE.search(name) else ""
        for match in re.finditer(VARIABLE, text):
            behind = re.findall(r"[\w.]+", text[match.end() : match.end() + 150])
            module = next((word for word in behind if "." in word and project.file(word)), "")
            if module:
                found.append((module, Place(name, text[: match.start()].count("\n") + 1)))
    # Those for developers are named in such files, too.
    found.sort(key=lambda one: bool(set(re.split(r"[._]", one[0])) & (OTHERS - BASES)))
    return found[0] if found else None


def _anywhere(project: Project) -> str:
    """Return a settings module by its name alone."""
    modules = []
    for file in project.folder.files:
        for base in project.python_path:
            if file.is_relative_to(base) and file.suffix == ".py":
                modules.append(file.relative_to(base).with_suffix("").parts)
    for last in ("settings", *PRODUCTION, *sorted(BASES)):
        for parts in modules:
            if parts[-1] == last and (last == "settings" or parts[-2:-1] == ("settings",)):
                return ".".join(parts)
    return ""
