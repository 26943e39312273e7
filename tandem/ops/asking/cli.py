"""Describe a Django site as it is: write tandem.yml into its folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tandem.facts import FINE
from tandem.ops.adopt.answer import Answer
from tandem.ops.adopt.cli import FILE
from tandem.ops.adopt.cli import main as adopt
from tandem.ops.adopt.conversation import Ask
from tandem.ops.adopt.model import Site
from tandem.ops.asking.container import Image
from tandem.ops.checkout import engine, site
from tandem.ops.checkout.programs import CACHE, Failed, Programs, missing_checkout, say
from tandem.ops.checkout.settings import Settings


class Engine:
    """Has the running code of a site asked, where there is an engine."""

    def __init__(self, programs: Programs) -> None:
        self.programs = programs
        self.answer: Answer | None = None  # the last

    @contextmanager
    def __call__(self, source: Path, home: Path | None) -> Iterator[Ask | None]:
        """Give what asks the site; see ``tandem.ops.adopt.cli.Asker``."""
        if missing_checkout() or not engine.answers(self.programs):
            why = "this is no checkout of Tandem" if missing_checkout() else "no engine answers"
            say(f"{why}: the site's files alone are read, and the running code is not asked.")
            yield None
            return
        debian = Settings(self.programs.environment)["DEBIAN_RELEASE"]
        source = source.resolve()
        cache = site.cache(home.resolve() if home else source)
        home = home.resolve() if home else _scratch(source)
        with Image(source, home, debian, self.programs, cache) as image:

            def ask(site: Site) -> Answer:
                self.answer = image(site)
                return self.answer

            yield ask


def _scratch(source: Path) -> Path:
    """Return a folder for the locks of a site whose own is not to be written into."""
    folder = CACHE / "asking" / site.cache(source)
    folder.mkdir(parents=True, exist_ok=True)
    for lock in source.glob("tandem-*.lock"):
        if lock.is_file() and not lock.is_symlink():
            shutil.copyfile(lock, folder / lock.name)
    return folder


def main(arguments: list[str]) -> int:
    """Run ``tandem adopt``; return its exit status."""
    return adopt(arguments, Engine(Programs.here()))


def first(environment: Mapping[str, str]) -> None:
    """Adopt the site that ``SITE`` names, where nobody has; fail where a person must decide."""
    place = site.named(environment)
    if place is None or not place.is_dir() or (place / FILE).exists():
        return
    programs = Programs(dict(environment))
    engine.ensure(programs)
    say(f"{place} has no {FILE}: it is adopted first.")
    asked = Engine(programs)
    if adopt([str(place)], asked) != FINE:
        raise Failed("")  # all is said
    if asked.answer is None or not asked.answer.loads:
        raise Failed(
            f"{place / FILE} is written, but the site does not load yet; settle what is said above"
            " and marked decide: there, and run it again."
        )
