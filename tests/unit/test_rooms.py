"""The rooms of tandem/: the contracts of pyproject.toml know every part of the example site."""

from __future__ import annotations

import ast
import re
import tomllib

from tests.checkout import ROOT

LINTER = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
SITE = {file.parent.name for file in (ROOT / "app").glob("*/__init__.py")}


def contract(name: str) -> dict[str, list[str]]:
    (found,) = [c for c in LINTER["contracts"] if c["name"] == name]
    return found


def test_every_package_of_the_example_is_kept_apart():
    assert set(LINTER["root_packages"]) == {"tandem", *SITE}
    assert set(contract("tandem/ knows no site, not even the example")["forbidden_modules"]) == SITE
    assert set(contract("A site does not import the operator's command")["source_modules"]) == SITE


def test_no_package_of_the_example_is_imported_by_its_name_in_a_string():
    # The linter reads statements; importlib.import_module takes a text.
    name = re.compile(rf"({'|'.join(sorted(SITE))})(\.\w+)+")
    found = [
        f"{file.relative_to(ROOT)}:{node.lineno}: {node.value}"
        for file in sorted((ROOT / "tandem").rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and name.fullmatch(node.value)
    ]
    assert not found
