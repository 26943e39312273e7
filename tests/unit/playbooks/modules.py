"""The modules of ansible/library, run in this process."""

from __future__ import annotations

import importlib.util
import json
from types import ModuleType
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args

from tests.checkout import ROOT


def load(name: str) -> ModuleType:
    """Return a module of ansible/library."""
    spec = importlib.util.spec_from_file_location(name, ROOT / f"ansible/library/{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(
    name: str, capsys: pytest.CaptureFixture[str], check: bool = False, **arguments: Any
) -> Any:
    """Run a module; return what it says to Ansible."""
    with patch_module_args({**arguments, "_ansible_check_mode": check}), pytest.raises(SystemExit):
        load(name).main()
    return json.loads(capsys.readouterr().out)
