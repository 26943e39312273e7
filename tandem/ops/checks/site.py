"""The site that is checked: which code is its own, and where its settings stand."""

from __future__ import annotations

import ast
import copy
import importlib
import os
import sys
import sysconfig
from collections.abc import Iterator
from functools import cached_property
from importlib.metadata import packages_distributions
from pathlib import Path
from types import ModuleType
from typing import Any

from django.apps import apps
from django.conf import UserSettingsHolder, global_settings, settings

from tandem.adopted import MADE
from tandem.adopted.pin import SETTINGS
from tandem.ops.checks.finding import Place
from tandem.ops.checks.source import Source, read

# Never served: their sleeping, printing and patching is nobody's trouble.
SKIPPED = {
    "migrations", "tests", "test", "testing", "testutils", "commands", "node_modules",
    "venv", "env", "site-packages", "__pycache__", "fixtures",
}  # fmt: skip
TANDEM = Path(__file__).resolve().parent.parent.parent


class Site:
    """The site whose settings are in force.

    ``packages`` are installed packages that belong to it as well: most plugins do.
    ``socket_paths`` are the paths on which nginx takes WebSockets; ``None`` where nobody knows.
    """

    def __init__(
        self, packages: tuple[str, ...] = (), socket_paths: tuple[str, ...] | None = None
    ) -> None:
        # Some libraries of settings make another thing of settings.SETTINGS_MODULE.
        given = os.environ.get("DJANGO_SETTINGS_MODULE") or getattr(settings, "SETTINGS_MODULE", "")
        self.running = str(given)  # the module that Django reads
        self.adopted = self.running == SETTINGS  # then Tandem's are laid over the site's
        self.settings_name = os.environ["SITE_SETTINGS"] if self.adopted else self.running
        self.settings: Any = settings
        self.socket_paths = socket_paths
        named = [
            self.settings_name,
            getattr(settings, "ROOT_URLCONF", ""),
            getattr(settings, "WSGI_APPLICATION", "") or "",
            getattr(settings, "ASGI_APPLICATION", "") or "",
        ]
        # A site that was installed as a package is still the site.
        self.packages = {name.partition(".")[0] for name in named if "." in name} | set(packages)
        self.packages |= self._siblings()

    def bare(self) -> Site:
        """Return the adopted site as it would be served with nothing laid over its settings."""
        own = UserSettingsHolder(global_settings)
        for name, value in vars(sys.modules[SETTINGS])["_own"].items():
            setattr(own, name, value)
        own.DEBUG = False
        found = copy.copy(self)
        found.settings, found.adopted = own, False
        return found

    @cached_property
    def installed(self) -> tuple[Path, ...]:
        """Folders of code that comes from elsewhere."""
        paths = sysconfig.get_paths()
        found = {Path(paths[name]).resolve() for name in ("stdlib", "purelib", "platlib")}
        found |= {Path(p).resolve() for p in sys.path if Path(p).name.endswith("-packages")}
        return tuple(found)

    def _siblings(self) -> set[str]:
        """Return the packages that were installed together with the settings."""
        top = self.settings_name.partition(".")[0]
        file = getattr(sys.modules.get(top), "__file__", None)
        if not file or not any(Path(file).resolve().is_relative_to(f) for f in self.installed):
            return set()
        holders = packages_distributions()
        return {name for name, of in holders.items() if set(of) & set(holders.get(top, ()))}

    def owns(self, module_name: str, file: Path | str | None) -> bool:
        """Tell whether a module is the site's own code."""
        if not file:
            return False
        if module_name.partition(".")[0] in self.packages:
            return True
        path = Path(file).resolve()
        return not path.is_relative_to(TANDEM) and not any(
            path.is_relative_to(folder) for folder in self.installed
        )

    def owns_object(self, thing: object) -> bool:
        """Tell whether a function or class is the site's own."""
        name = getattr(thing, "__module__", None) or ""
        return self.owns(name, getattr(sys.modules.get(name), "__file__", None))

    @cached_property
    def sources(self) -> list[Source]:
        """Every file of the site's own that may be served, parsed."""
        files = dict(self._files())
        found = (read(path, name) for path, name in sorted(files.items()))
        return [source for source in found if source is not None]

    @cached_property
    def folders(self) -> dict[Path, str]:
        """The folders of the site's own apps and packages, with their names."""
        folders: dict[Path, str] = {}
        for config in apps.get_app_configs():
            if self.owns(config.name, getattr(config.module, "__file__", None)):
                folders[Path(config.path).resolve()] = config.name
        for name in self.packages:
            module = sys.modules.get(name)
            if module is not None and getattr(module, "__file__", None):
                folders[Path(str(module.__file__)).resolve().parent] = name
        return folders

    def _files(self) -> Iterator[tuple[Path, str]]:
        for folder, name in self.folders.items():
            for path in _python(folder):
                parts = path.relative_to(folder).with_suffix("").parts
                parts = parts[:-1] if parts[-1] == "__init__" else parts
                yield path, ".".join([name, *parts])
        # Single modules, and packages that are no app: a router, a consumer.
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if name == "__main__" or not file or not str(file).endswith(".py"):
                continue
            path = Path(file).resolve()
            if self.owns(name, path) and not _skipped((*name.split("."), path.name)):
                yield path, name

    def source(self, module_name: str) -> Source | None:
        """Return the source of a module that runs, or ``None``."""
        file = getattr(sys.modules.get(module_name), "__file__", None)
        return read(Path(file).resolve(), module_name) if file else None

    def setting(self, name: str, *inner: str) -> Place | None:
        """Return where the site sets ``name``; with ``inner``, the line of that key if found.

        The settings module as a whole where neither is found.
        """
        main = self.source(self.settings_name)
        if main is None:
            return None
        files = self._settings_sources()
        for key in reversed(inner):
            for source in files:
                if line := _key_line(source.tree, key):
                    return Place(source.path, line)
        for source in files:
            if line := _setting_line(source.tree, name):
                return Place(source.path, line)
        return Place(main.path)

    def _settings_sources(self) -> list[Source]:
        """Return the settings module and those of the site that it imports, nearest first."""
        found: list[Source] = []
        names = [self.settings_name]
        while names:
            name = names.pop(0)
            source = self.source(name)
            if source is None or source in found or not self.owns(name, source.path):
                continue
            found.append(source)
            for node in source.nodes:
                if isinstance(node, ast.ImportFrom):
                    for bound, target in source._bound(node):
                        names.append(target.rpartition(".")[0] if bound == "*" else target)
        return found

    @cached_property
    def asgi(self) -> tuple[ModuleType | None, str, str]:
        """The module and name of the ASGI application, and why it could not be imported."""
        dotted = getattr(settings, "ASGI_APPLICATION", None) or ""
        if self.adopted:  # tandem.yml says which one
            dotted = os.environ.get("SITE_ASGI", MADE).replace(":", ".")
            if dotted == MADE:
                return None, "", ""
        names = [dotted.rpartition(".")] if dotted else []
        for near in (self.settings_name, getattr(settings, "ROOT_URLCONF", "")):
            package = near.rpartition(".")[0]
            while package:
                names.append((f"{package}.asgi", ".", "application"))
                package = package.rpartition(".")[0]
        for module, _, name in names:
            try:
                return importlib.import_module(module), name, ""
            except ModuleNotFoundError as error:
                if error.name and module.startswith(error.name) and not dotted:
                    continue
                return None, name, f"{module}: {error}"
            except Exception as error:  # whatever a site does at its start
                return None, name, f"{module}: {type(error).__name__}: {error}"
        return None, "", ""


def _python(folder: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        if entry.is_dir():
            if not entry.name.startswith(".") and not _skipped((entry.name,)):
                yield from _python(entry)
        elif entry.suffix == ".py" and not _skipped((entry.name,)):
            yield entry


def _skipped(parts: tuple[str, ...]) -> bool:
    name = parts[-1]
    return (
        any(part in SKIPPED for part in parts)
        or name in ("tests.py", "conftest.py", "manage.py")
        or (name.startswith("test_") and name.endswith(".py"))
    )


def _setting_line(tree: ast.Module, name: str) -> int:
    """Return the line that binds ``name`` last, or 0."""
    lines = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store)
    ]
    return max(lines, default=0)


def _key_line(tree: ast.Module, key: str) -> int:
    """Return the line of a dictionary's or a call's ``key``, or 0."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and node.value == key:
            return node.lineno
        if isinstance(node, ast.keyword) and node.arg == key:
            return node.value.lineno
    return 0
