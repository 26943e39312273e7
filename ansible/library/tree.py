#!/usr/bin/python
"""Make folders and write small text files, many at once."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: tree
short_description: Make folders and write small text files, many at once
description:
  - Makes the folder I(dest) hold I(folders) and I(files), replaced by a rename if they differ.
  - One task, and so one connection, where a loop of copies would need one for each file.
options:
  dest:
    description: Folder on the server; made if it is missing.
    type: path
    default: /
  folders:
    description: I(owner), I(group) and I(mode) of folders, by name; root's and 0755 unless said.
    type: dict
    default: {}
  files:
    description:
      - Text of each file by its name, which may have folders in it.
      - "Or a dictionary: its I(text), and where it differs its I(owner), I(group) and I(mode)."
    type: dict
    default: {}
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

- name: Make a folder, and install a command
  tree:
    folders: {/srv/a: {owner: www-data, mode: "0750"}}
    files:
      /usr/local/bin/a: {text: "#!/bin/sh …", mode: "0755"}
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


def make(path: Path) -> None:
    """Make a folder, and those around it that are missing."""
    for folder in reversed([p for p in (path, *path.parents) if not p.exists()]):
        folder.mkdir()
        folder.chmod(FOLDER_MODE)


def write(path: Path, text: str) -> None:
    """Replace a file by a rename: whoever reads it gets the old one or the new one."""
    make(path.parent)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w") as file:
        file.write(text)
    os.rename(name, path)


class Tree:
    """What is made for a module, and what of it was changed."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.dest = Path(module.params["dest"])
        self.changed, self.written, self.purged = False, [], []
        self.diff: list[dict[str, str]] = []

    def note(self, path: Path, before: str | None, after: str | None) -> None:
        """Remember what changes."""
        self.changed = True
        self.diff.append({
            "before": before or "", "after": after or "", "before_header": str(path),
            "after_header": str(path) if after is not None else "(deleted)",
        })  # fmt: skip

    def attributes(self, path: Path, wanted: dict[str, str]) -> None:
        """Set owner, group and mode where they differ."""
        for attribute, value in wanted.items():
            setter = getattr(self.module, f"set_{attribute}_if_different")
            self.changed = setter(str(path), value, self.changed)

    def folder(self, name: str, wanted: dict[str, str]) -> None:
        """Make a folder."""
        path = self.dest / name
        if not path.is_dir():
            self.note(path, None, "(a folder)\n")
            if self.module.check_mode:
                return
            make(path)
        self.attributes(path, {"owner": "root", "group": "root", "mode": "0755"} | wanted)

    def file(self, name: str, wanted: str | dict[str, str]) -> None:
        """Write a file."""
        given = wanted if isinstance(wanted, dict) else {"text": wanted}
        path, before, text = self.dest / name, read(self.dest / name), given["text"]
        if before != text:
            self.written.append(name)
            self.note(path, before, text)
            if not self.module.check_mode:
                write(path, text)
        if path.exists():
            usual = {a: self.module.params[a] for a in ("owner", "group", "mode")}
            self.attributes(path, {a: given.get(a, value) for a, value in usual.items()})

    def purge(self, files: dict[str, Any]) -> None:
        """Delete what is no file of ours."""
        for path in sorted(p for p in self.dest.rglob("*") if not p.is_dir()):
            name = str(path.relative_to(self.dest))
            if name not in files:
                self.purged.append(name)
                self.note(path, read(path), None)
                if not self.module.check_mode:
                    path.unlink()


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "dest": {"type": "path", "default": "/"},
            "folders": {"type": "dict", "default": {}},
            "files": {"type": "dict", "default": {}},
            "owner": {"type": "str", "default": "root"},
            "group": {"type": "str", "default": "root"},
            "mode": {"type": "str", "default": "0644"},
            "purge": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    tree, files = Tree(module), module.params["files"]
    for name, wanted in module.params["folders"].items():
        tree.folder(name, wanted or {})
    for name, wanted in sorted(files.items()):
        tree.file(name, wanted)
    if module.params["purge"]:
        tree.purge(files)
    module.exit_json(changed=tree.changed, written=tree.written, purged=tree.purged, diff=tree.diff)


if __name__ == "__main__":
    main()
