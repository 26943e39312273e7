"""``tandem adopt``, for whom a room above asks the running code (tandem/ops/asking)."""

from __future__ import annotations

import argparse
import difflib
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from tandem.facts import FAILED, FINE, FOUND
from tandem.ops.adopt.answer import Answer
from tandem.ops.adopt.conversation import Ask, Conversation, NotAskedError
from tandem.ops.adopt.explain import explain
from tandem.ops.adopt.findings import AdoptError, Findings
from tandem.ops.adopt.inspection import inspect
from tandem.ops.adopt.model import MADE, SiteError, load, loads
from tandem.ops.adopt.python import slug
from tandem.ops.adopt.repository import PREFIX, Repository, fetch, is_url, parse
from tandem.ops.adopt.write import render, summary
from tandem.ops.bounded.files import read_text, write_text
from tandem.ops.bounded.work import TooMuchError, call

FILE = "tandem.yml"


class Asker(Protocol):
    """Has the running code of a site asked; in a room above, which has an engine."""

    def __call__(self, source: Path, home: Path | None) -> AbstractContextManager[Ask | None]:
        """Give what asks the site in ``source``; ``None`` where nobody can.

        ``home`` is the folder of its tandem.yml; ``None`` where nothing is to be written there.
        """


def main(arguments: list[str], asker: Asker | None = None) -> int:
    """Run ``tandem adopt``; return 0, 1 where a file is there that differs, 2 for a wrong call."""
    options = _options(arguments)
    asked = None if options.files_only else asker
    try:
        if options.explain:
            return _explain(options, asked)
        with found(options) as (folder, source, findings):
            if asked:
                _ask(findings, asked, source, None if options.dry_run else folder)
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


@contextmanager
def found(options: argparse.Namespace) -> Iterator[tuple[Path, Path, Findings]]:
    """Give the folder for tandem.yml, that of the source, and what the files of that say."""
    folder = Path(options.path)
    if options.package:
        yield folder, folder, packaged(options)
    elif is_url(options.path):
        with tempfile.TemporaryDirectory() as cache:
            yield fetched(options, Path(cache))
    else:
        yield folder, folder, bounded(folder, options.settings, options.name)


def _ask(findings: Findings, asker: Asker, source: Path, home: Path | None) -> Answer | None:
    """Have the running code say what the files cannot; return its answer."""
    with asker(source, home) as ask:
        if ask is None:
            return None
        try:
            return Conversation(findings, ask, _say).hold()
        except NotAskedError as error:
            sentence = str(error).removesuffix(".")
            _say(f"the site could not be asked: {sentence}. What follows is from its files only.")
            return None


def _explain(options: argparse.Namespace, asker: Asker | None) -> int:
    """Print what Tandem replaces; by the tandem.yml that is there, else by what would be in one."""
    answer = None
    if asker and (Path(options.path) / FILE).exists():
        answer = _described(Path(options.path), asker)
    elif asker:
        with found(options) as (_, source, findings):
            answer = _ask(findings, asker, source, None)
    if answer is None:
        raise AdoptError("only the running code tells what is replaced, and it could not be asked")
    print(explain(answer))
    for failure in answer.failures:
        _say(f"the site does not load: {failure}.")
    return FOUND if answer.failures else FINE


def _described(folder: Path, asker: Asker) -> Answer | None:
    """Ask the site that is described in a folder, once."""
    site = load(folder / FILE, files=True)
    with tempfile.TemporaryDirectory() as cache:
        if repository := parse(site.source):
            source, _ = fetch(repository, Path(cache))
        else:
            source = folder / site.source
        with asker(source, None) as ask:
            try:
                return ask(site) if ask else None
            except NotAskedError as error:
                raise AdoptError(str(error).removesuffix(".")) from None


def _say(sentence: str) -> None:
    print(f"tandem: {sentence}", file=sys.stderr, flush=True)


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tandem adopt",
        description=f"Asks a Django site what it is, in an image of its own without network or"
        f" secrets, and writes {FILE} into its folder.",
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
    add(
        "--files-only", action="store_true",
        help="only read its files, and run none of it: quick, and partly a guess",
    )  # fmt: skip
    add(
        "--explain", action="store_true",
        help="print which settings of the site Tandem replaces, and why; write nothing",
    )  # fmt: skip
    add("--dry-run", action="store_true", help=f"print {FILE} instead of writing it")
    add("--force", action="store_true", help=f"overwrite a {FILE} that is there")
    add(
        "--package", action="append", default=[], metavar="REQUIREMENT",
        help="a site that is installed and not in a folder, as in netbox==4.7.0; with --settings",
    )  # fmt: skip
    for kind in ("wsgi", "asgi"):
        add(f"--{kind}", default=MADE, help=f"with --package: its {kind.upper()} application")
    return parser.parse_args(arguments)


def fetched(options: argparse.Namespace, cache: Path) -> tuple[Path, Path, Findings]:
    """Return a folder of the site's name here, its source in a repository, and what that says.

    That names the commit, so that every build is of the same source.  Raises ``AdoptError``
    where git cannot get it, or it is not the folder of one Django site.
    """
    try:
        repository = parse(f"{PREFIX}{options.path.removeprefix(PREFIX)}@{options.revision}")
    except ValueError as error:
        raise AdoptError(f"the address {error}") from None
    assert repository is not None  # noqa: S101 - it has the prefix
    source, commit = fetch(repository, cache)
    findings = bounded(source, options.settings, options.name or slug(repository.name))
    findings.found("source", str(Repository(repository.url, commit)), f"{options.revision} now")
    folder = Path(repository.name)
    if not re.fullmatch(r"\w[\w.-]*", folder.name):
        raise AdoptError(f"{repository.url} ends in no name that a folder could have")
    if not (options.dry_run or options.explain):
        folder.mkdir(exist_ok=True)
    return folder, source, findings


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
