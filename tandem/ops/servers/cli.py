"""Provision, deploy to, and verify servers; boot some on this machine for a rehearsal."""

from __future__ import annotations

import argparse
from pathlib import Path

from tandem.ops.checkout import engine
from tandem.ops.checkout.parser import Commands
from tandem.ops.checkout.programs import ROOT, Failed, Programs, command
from tandem.ops.servers import rehearsal
from tandem.ops.servers.play import play, verify

TOPOLOGY = ROOT / "tests/servers/topologies/both.yml"
EPILOG = """\
Playbooks run on INVENTORY=file, or else on the rehearsal's servers, for the site in app/ or that of
SITE=folder; RELEASE=name is the release that 'deploy' and 'rollback' mean. What follows the command
of a playbook is for Ansible (--check, --limit …), and for pytest after 'verify'. docs/servers.md.
"""
PLAYBOOKS = {
    "provision": ("site.yml", "provision the servers, or change them to what the inventory says"),
    "deploy": ("deploy.yml", "roll the newest release out, without a failed request"),
    "rollback": ("rollback.yml", "back to the release before"),
    "releases": ("releases.yml", "which release is where, and what was deployed when"),
}


def main(arguments: list[str]) -> int:
    """Run the command that ``arguments`` name; return the exit status."""
    options = parser().parse_args(arguments)
    return command(lambda: options.run(Programs.here(), options))


def parser() -> argparse.ArgumentParser:
    """Return the parser; each command has a function ``run``."""
    top = Commands("servers", __doc__, EPILOG)
    add, passed = top.add, top.passed
    for name, (_, help_) in PLAYBOOKS.items():
        passed(name, playbook, help_)
    other = passed("play", another, "run another playbook")
    other.usage = "tandem servers play PLAYBOOK [OPTION …]"
    passed("verify", lambda programs, options: verify(programs, *options.words),
           "check the servers against the specifications; reads only")  # fmt: skip
    up = add("up", boot, "boot blank Debian servers on this machine, or copies of kept ones")
    up.add_argument("topology", type=Path, nargs="?", default=TOPOLOGY)
    up.add_argument("copy", nargs="?", default="")
    keep = add("keep", lambda _, options: rehearsal.keep(options.copy),
               "keep the rehearsal's servers, as they are, under a name")  # fmt: skip
    keep.add_argument("copy")
    forget = add("forget", lambda _, options: rehearsal.forget(options.copy),
                 "remove the servers that were kept under a name")  # fmt: skip
    forget.add_argument("copy")
    add("down", lambda *_: rehearsal.down(), "remove the rehearsal's servers; copies stay")
    return top.parser


def playbook(programs: Programs, options: argparse.Namespace) -> None:
    """Run the playbook of a command."""
    release = programs.environment.get("RELEASE", "")
    chosen = options.command in ("deploy", "rollback") and release
    more = [f"--extra-vars=release={release}"] if chosen else []
    play(programs, PLAYBOOKS[options.command][0], *more, *options.words)


def another(programs: Programs, options: argparse.Namespace) -> None:
    """Run a playbook that has no command of its own."""
    if not options.words:
        raise Failed("name a playbook: tandem servers play logs.yml")
    play(programs, *options.words)


def boot(programs: Programs, options: argparse.Namespace) -> None:
    """Boot the servers of a topology."""
    engine.ensure(programs)
    rehearsal.up(options.topology, options.copy)
