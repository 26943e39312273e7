"""Provision, deploy to, and verify servers; boot some on this machine for a rehearsal."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from tandem.ops.checkout import engine
from tandem.ops.checkout.programs import ROOT, Programs, command
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
    top = argparse.ArgumentParser(
        prog="tandem servers", description=__doc__, epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    Run = Callable[[Programs, argparse.Namespace], int | None]  # noqa: N806 - a type

    def add(name: str, run: Run, help_: str, passed: bool = False) -> argparse.ArgumentParser:
        # Whatever follows is for another program, options too.
        more = {"add_help": False, "prefix_chars": "\0"} if passed else {}
        one = commands.add_parser(name, help=help_, **more)  # type: ignore[arg-type]
        one.set_defaults(run=run)
        if passed:
            one.add_argument("words", nargs="*")
        return one

    for name, (_, help_) in PLAYBOOKS.items():
        add(name, playbook, help_, passed=True)
    other = add("play", lambda p, o: play(p, *o.words), "run another playbook", passed=True)
    other.usage = "tandem servers play PLAYBOOK [OPTION …]"
    add("verify", lambda programs, options: verify(programs, *options.words),
        "check the servers against the specifications; reads only", passed=True)  # fmt: skip
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
    return top


def playbook(programs: Programs, options: argparse.Namespace) -> None:
    """Run the playbook of a command."""
    release = programs.environment.get("RELEASE", "")
    chosen = options.command in ("deploy", "rollback") and release
    more = [f"--extra-vars=release={release}"] if chosen else []
    play(programs, PLAYBOOKS[options.command][0], *more, *options.words)


def boot(programs: Programs, options: argparse.Namespace) -> None:
    """Boot the servers of a topology."""
    engine.ensure(programs)
    rehearsal.up(options.topology, options.copy)
