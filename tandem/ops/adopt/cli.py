"""Describe a Django site as it is: write tandem.yml into its folder."""

from __future__ import annotations

import argparse
import difflib
import os
import re
import sys
import tempfile
from pathlib import Path

from tandem.facts import FAILED, FINE, FOUND
from tandem.ops.adopt.findings import AdoptError, Findings
from tandem.ops.adopt.inspection import inspect
from tandem.ops.adopt.model import MADE, SiteError, loads
from tandem.ops.adopt.python import slug
from tandem.ops.adopt.repository import PREFIX, Repository, fetch, is_url, parse
from tandem.ops.adopt.write import render, summary
from tandem.ops.bounded.files import read_text, write_text
from tandem.ops.bounded.work import TooMuchError, call

FILE = "tandem.yml"


def main(arguments: list[str]) -> int:
    """Run ``tandem adopt``; return 0, 1 where a file is there that differs, 2 for a wrong call."""
    options = _options(arguments)
    folder = Path(options.path)
    try:
        if options.package:
            findings = packaged(options)
        elif is_url(options.path):
            folder, findings = fetched(options)
        else:
            findings = bounded(folder, options.settings, options.name)
        file = folder / FILE
        text = render(findings)
        loads(text, file)  # what is written can be read
    except (AdoptError, SiteError) as error:
        print(f"tandem: {error}.", file=sys.stderr)
        return FAILED
    if options.dry_run:
        print(text, end="")
        _warn(findings)
        return FINE
    status = _write(file, text, options.force)
    if status == 0:
        print(summary(findings))
    _warn(findings)
    return status


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tandem adopt",
        description=f"Reads a Django site, runs none of it, and writes {FILE} into its folder.",
        epilog="docs/adopt.md says more.",
    )
    add = parser.add_argument
    add(
        "path", nargs="?", default=".",
        help="the site's folder (this one if left out), or the address of its git repository",
    )  # fmt: skip
    add(
        "--revision", default="HEAD", metavar="NAME",
        help="of a repository: a commit, tag or branch; else what it shows to visitors",
    )  # fmt: skip
    add("--settings", default="", metavar="MODULE", help="its settings, where several could be")
    add("--name", default="", help="what to call it; else the name of its project or folder")
    add("--dry-run", action="store_true", help=f"print {FILE} instead of writing it")
    add("--force", action="store_true", help=f"overwrite a {FILE} that is there")
    add(
        "--package", action="append", default=[], metavar="REQUIREMENT",
        help="a site that is installed and not in a folder, as in netbox==4.7.0; with --settings",
    )  # fmt: skip
    for kind in ("wsgi", "asgi"):
        add(f"--{kind}", default=MADE, help=f"with --package: its {kind.upper()} application")
    return parser.parse_args(arguments)


def fetched(options: argparse.Namespace) -> tuple[Path, Findings]:
    """Return a folder of the site's name here, and the description of a site in a repository.

    That names the commit, so that every build is of the same source.  Raises ``AdoptError``
    where git cannot get it, or it is not the folder of one Django site.
    """
    try:
        repository = parse(f"{PREFIX}{options.path.removeprefix(PREFIX)}@{options.revision}")
    except ValueError as error:
        raise AdoptError(f"the address {error}") from None
    assert repository is not None  # noqa: S101 - it has the prefix
    with tempfile.TemporaryDirectory() as cache:
        source, commit = fetch(repository, Path(cache))
        findings = bounded(source, options.settings, options.name or slug(repository.name))
    findings.found("source", str(Repository(repository.url, commit)), f"{options.revision} now")
    folder = Path(repository.name)
    if not re.fullmatch(r"\w[\w.-]*", folder.name):
        raise AdoptError(f"{repository.url} ends in no name that a folder could have")
    if not options.dry_run:
        folder.mkdir(exist_ok=True)
    return folder, findings


def bounded(folder: Path, settings: str, name: str) -> Findings:
    """Return what ``folder`` tells of its site, looked at within bounds.

    Raises ``AdoptError`` where it is no site's, or where to look at it does not end.
    """
    try:
        return call(inspect, folder, settings, name, expected=(AdoptError,))
    except TooMuchError as error:
        raise AdoptError(f"{folder} was given up: {error}") from None


def packaged(options: argparse.Namespace) -> Findings:
    """Return the description of a site that is installed as a package.

    Raises ``AdoptError`` without its settings, or without a folder to write into.
    """
    if not options.settings:
        raise AdoptError("a packaged site is not looked into; name its settings with --settings")
    if not Path(options.path).is_dir():
        raise AdoptError(f"{options.path} is no folder; make it, {FILE} will be in it")
    out = Findings()
    name = options.name or slug(options.settings.partition(".")[0])
    out.found("name", name)
    out.found("source", ".", "a site's own settings, if any, are in this folder")
    out.found("root", ".")
    out.found("settings", options.settings, "as given")
    for kind in ("wsgi", "asgi"):
        value = getattr(options, kind)
        why = (
            "as given"
            if value != MADE
            else f"made; if the package has one, name it: {name}.{kind}:application"
        )
        out.found(kind, value, why)
    out.found("requirements", [])
    out.found("packages", options.package, "as given")
    out.decide("environment", "name the variables that its settings read", {})
    out.decide("secrets", "take SECRET_KEY out if its settings do not read it", ["SECRET_KEY"])
    out.decide(
        "database", "sqlite, or own, if its settings do not lead to PostgreSQL", "postgresql"
    )
    if options.asgi != MADE:
        out.decide("websocket_paths", "the path prefixes of its sockets, as in [/ws/]", [])
    out.found("health", "/")
    return out


def _write(file: Path, text: str, force: bool) -> int:
    """Write ``file`` unless one is there that differs; then show how."""
    try:
        old = read_text(file, file.parent) if os.path.lexists(file) else None
        if old == text:
            print(f"{file} is as it should be.")
            return FINE
        if old is not None and not force:
            lines = difflib.unified_diff(
                old.splitlines(keepends=True),
                text.splitlines(keepends=True),
                str(file),
                "found now",
            )
            print("".join(lines), end="")
            print(
                f"tandem: {file} is there and was left as it is; --force overwrites it"
                " with the above.",
                file=sys.stderr,
            )
            return FOUND
        write_text(file, text)
    except OSError as error:
        print(f"tandem: {file} cannot be read or written: it {error.strerror}.", file=sys.stderr)
        return FAILED
    print(f"{file} is written.")
    return FINE


def _warn(findings: Findings) -> None:
    for key, sentence in findings.undecided:
        print(f"tandem: decide: {key}: {sentence}.", file=sys.stderr)
