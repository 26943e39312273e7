#!/usr/bin/python
"""Make the system's users, groups and memberships that a file of sysusers.d names."""

from __future__ import annotations

import grp
import pwd

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: sysusers
short_description: Make the users, groups and memberships that a file of sysusers.d names
description:
  - One task for many users.  C(systemd-sysusers) makes what is missing, and touches nothing else.
  - Tells what is missing itself, because C(systemd-sysusers --dry-run) names no memberships.
options:
  path:
    description: The file; the tree module has written it, or in check mode would have.
    type: path
    required: true
  text:
    description: What is in it, lines of sysusers.d(5).
    type: str
    required: true
author:
  - Tandem
"""

EXAMPLES = """
- name: Make the users
  sysusers:
    path: /etc/sysusers.d/a.conf
    text: "u a -"
"""

RETURN = """
made:
  description: The lines whose user, group or membership was, or in check mode would be, made.
  returned: always
  type: list
"""


def there(kind: str, name: str, other: str) -> bool:
    """Tell whether a line's group (g), user (u) or membership (m) is there."""
    try:
        match kind:
            case "g":
                grp.getgrnam(name)
            case "u":
                pwd.getpwnam(name)
            case "m":
                return name in grp.getgrnam(other).gr_mem
    except KeyError:
        return False
    return True


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "text": {"type": "str", "required": True},
        },
        supports_check_mode=True,
    )
    lines = [line for line in module.params["text"].splitlines() if line and line[0] in "gum"]
    made = [line for line in lines if not there(*line.split()[:3])]
    if made and not module.check_mode:
        module.run_command(["systemd-sysusers", module.params["path"]], check_rc=True)
    module.exit_json(changed=bool(made), made=made)


if __name__ == "__main__":
    main()
