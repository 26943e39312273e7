#!/usr/bin/python
"""Write many small text files at once."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: tree
short_description: Write many small text files at once
description:
  - Makes the folder I(dest) hold I(files), each replaced by a rename when it differs.
  - One task, and so one connection, where a loop of copies would need one for each file.
options:
  dest:
    description: Folder on the server; made if it is missing.
    type: path
    required: true
  files:
    description: Text of each file by its name, which may have folders in it.
    type: dict
    required: true
  owner:
    description: Owner of the files.
    type: str
    default: root
  group:
    description: Group of the files.
    type: str
    default: root
  mode:
    description: Mode of the files; folders that are made get 0755.
    type: str
    default: "0644"
  purge:
    description: Delete every other file in I(dest).
    type: bool
    default: false
author:
  - Tandem
"""

EXAMPLES = """
- name: Install two units
  tree:
    dest: /etc/systemd/system
    files:
      a.service: "[Service] …"
      a.service.d/more.conf: "[Service] …"
"""

RETURN = """
written:
  description: Names of the files that were, or in check mode would be, written.
  returned: always
  type: list
purged:
  description: Names of the files that were deleted.
  returned: always
  type: list
"""

FOLDER_MODE = 0o755


def read(path: Path) -> str | None:
    """Return the text of a file, nothing where there is none."""
    try:
        return path.read_text()
    except (FileNotFoundError, NotADirectoryError):
        return None


def write(path: Path, text: str) -> None:
    """Replace a file by a rename: whoever reads it gets the old one or the new one."""
    for folder in reversed([p for p in path.parents if not p.exists()]):
        folder.mkdir()
        folder.chmod(FOLDER_MODE)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w") as file:
        file.write(text)
    os.rename(name, path)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "dest": {"type": "path", "required": True},
            "files": {"type": "dict", "required": True},
            "owner": {"type": "str", "default": "root"},
            "group": {"type": "str", "default": "root"},
            "mode": {"type": "str", "default": "0644"},
            "purge": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    dest, files = Path(module.params["dest"]), module.params["files"]
    changed, written, purged, diff = False, [], [], []
    for name, text in sorted(files.items()):
        path = dest / name
        before = read(path)
        if before != text:
            written.append(name)
            diff.append({"before": before or "", "after": text, "before_header": str(path),
                         "after_header": str(path)})  # fmt: skip
            if not module.check_mode:
                write(path, text)
        if path.exists():
            for attribute in ("owner", "group", "mode"):
                setter = getattr(module, f"set_{attribute}_if_different")
                changed = setter(str(path), module.params[attribute], changed)
    if module.params["purge"] and dest.is_dir():
        for path in sorted(p for p in dest.rglob("*") if not p.is_dir()):
            name = str(path.relative_to(dest))
            if name not in files:
                purged.append(name)
                diff.append({"before": read(path) or "", "after": "", "before_header": str(path),
                             "after_header": "(deleted)"})  # fmt: skip
                if not module.check_mode:
                    path.unlink()
    module.exit_json(
        changed=changed or bool(written or purged), written=written, purged=purged, diff=diff
    )


if __name__ == "__main__":
    main()
