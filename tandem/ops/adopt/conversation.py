"""Ask a site until it loads, or until only a person can go on."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from pathlib import Path

from tandem.ops.adopt import database
from tandem.ops.adopt.answer import Answer
from tandem.ops.adopt.asked import Proposals
from tandem.ops.adopt.environment import FALSE
from tandem.ops.adopt.findings import Findings
from tandem.ops.adopt.model import Site, loads
from tandem.ops.adopt.running import judge
from tandem.ops.adopt.write import render

MOST_ROUNDS = 12
Ask = Callable[[Site], Answer]
Tell = Callable[[str], None]
# What tandem.ops.adopt.causes proposes for an image that cannot be built.
CURE = re.compile(r"add (build_packages|packages): \[([^]]+)\] to tandem\.yml")


class NotAskedError(Exception):
    """The site could not be asked, as its image cannot be built; one sentence says why."""


class Conversation:
    """Questions to one site, and what its answers make of the findings."""

    def __init__(self, findings: Findings, ask: Ask, tell: Tell) -> None:
        self.findings, self.tell = findings, tell
        self._ask, self._rounds = ask, 0
        self.proposals = Proposals(findings)

    def hold(self) -> Answer:
        """Ask until all is known; have the findings say it, and return the last answer."""
        answer = self.ask()
        while self._rounds < MOST_ROUNDS:
            answered = (one for one in answer.failures if self.proposals.answer(one, answer))
            if (failure := next(answered, None)) is None:
                break
            self.tell(f"the site does not load yet: {failure}; asking again.")
            answer = self.ask()
        if answer.loads:
            answer = self._database(answer)
            answer = self._debug(answer)
        judge(self.findings, answer)
        self.findings.asked = True
        return answer

    def ask(self) -> Answer:
        """Ask once."""
        while True:
            self._rounds += 1
            site = loads(render(self.findings), Path("tandem.yml"))
            try:
                return self._ask(site)
            except NotAskedError as error:
                if self._rounds >= MOST_ROUNDS or not self._cured(str(error)):
                    raise
                self.tell(f"{error} It is built again with that.")

    def _cured(self, sentence: str) -> bool:
        """Add what an image lacks; return whether that is anything new."""
        cure = CURE.search(sentence)
        if cure is None:
            return False
        had = set(self.findings.value(cure[1]) or ())
        for name in re.split(r"[\s,']+", cure[2].strip("'")):
            self.findings.item(cure[1], name, "the site's image cannot be built without it")
        return set(self.findings.value(cure[1])) != had

    def _database(self, answer: Answer) -> Answer:
        """See whether variables that sound like a database's lead to PostgreSQL."""
        read = [one for one in answer.reads.values() if not one.given]
        values = {one.name: database.assumption(one.name) for one in read}
        given = {name: value for name, value in values.items() if value}
        if not given or "postg" in answer.database():
            return answer
        # With it comes a driver into the image.
        return self._effect(given, answer, lambda new: "postg" in new.database(), "postgresql")

    def _debug(self, answer: Answer) -> Answer:
        """See whether a variable turns DEBUG off."""
        read = [one for one in answer.reads.values() if one.place or one.name.startswith("DJANGO_")]
        names = [one.name for one in read if "DEBUG" in one.name]
        for value in FALSE[:2]:
            if answer.debug() and names:
                given = dict.fromkeys(names, value)
                answer = self._effect(given, answer, lambda new: not new.debug())
        return answer

    def _effect(
        self, given: dict[str, str], answer: Answer, wanted: Callable[[Answer], bool],
        database: str = "",
    ) -> Answer:  # fmt: skip
        """Return the answer with variables that have the effect; else that without them."""
        if self._rounds >= MOST_ROUNDS:
            return answer
        before = copy.deepcopy(self.findings.keys)
        if database:
            self.findings.found("database", database)
        for name, value in given.items():
            place = answer.reads[name].place or "a package of the site's"
            self.findings.give("environment", name, value, f"by what it does; read by {place}")
        new = self.ask()
        if new.loads and len(new.failures) <= len(answer.failures) and wanted(new):
            return new
        self.findings.keys = before
        return answer
