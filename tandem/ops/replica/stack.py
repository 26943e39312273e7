"""The replica's containers: what runs and what should."""

from __future__ import annotations

import fcntl
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tandem.facts import CURRENT, KINDS
from tandem.ops.checkout import site
from tandem.ops.checkout.programs import CACHE, ROOT, Failed, Programs
from tandem.ops.checkout.settings import PROJECT, Settings

LABEL = "com.docker.compose"
RUN = f"{CURRENT}/deploy/run.sh"  # in a container of the site
COMPOSE = ("docker", "compose")
# Compose tells of each container that it makes; who looks for a reason wants what went wrong.
QUIET = (*COMPOSE, "--progress", "quiet")
ONCE = (*QUIET, "run", "--rm", "--no-deps", "-T")
UP = (*QUIET, "up", "--detach")
LOG = CACHE / "up.log"


@dataclass(frozen=True)
class Container:
    """A container of a service, as Compose has made it."""

    name: str
    number: int
    settings: str  # a hash of them
    image: str


class Stack(Programs):
    """The stack of this checkout, or of the site that ``SITE`` names."""

    def __init__(self) -> None:
        super().__init__(dict(os.environ))
        self.place = site.named(self.environment)
        if self.place:
            self.environment = site.environment_of(self.place, self.environment)

    @property
    def settings(self) -> Settings:
        """Return the settings as they are now."""
        return Settings(self.environment)

    @property
    def project(self) -> str:
        """Return the name of the stack."""
        return self.settings[PROJECT]

    def attempt_here(self, sentence: str, *command: str, **options: Any) -> None:
        """Take a step of ``make up``."""
        self.attempt(sentence, LOG, *command, **options)

    def lock(self, sentence: str) -> None:
        """Be the one command of this checkout that changes the replica, until it ends."""
        CACHE.mkdir(exist_ok=True)
        descriptor = os.open(CACHE / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failed(f"{sentence}; run it again when that has ended.") from None
        self.held.append(descriptor)

    def owned(self) -> None:
        """Refuse to change a stack that another checkout has started: it would be taken over."""
        if self.environment.get("TAKE_OVER") == "1":
            return
        label = f'{{{{.Label "{LABEL}.project.working_dir"}}}}'
        ours = ("--filter", f"label={LABEL}.project={self.project}")
        for owner in sorted(set(self.lines("docker", "ps", "--all", *ours, "--format", label))):
            # Of a folder that is gone, moved or renamed, nobody else is in charge.
            if Path(owner).resolve() != ROOT and (Path(owner) / "compose.yaml").exists():
                raise Failed(
                    f"the stack {self.project} is that of the checkout {owner}; give this one"
                    " another COMPOSE_PROJECT_NAME, HTTP_PORT and HTTPS_PORT in .env, or let it"
                    " have that stack with TAKE_OVER=1."
                )

    # --- what runs ---

    def of_service(self, service: str, *options: str) -> list[Container]:
        """Return the containers of a service that run, first to last.

        Images have labels of project and service, too: what somebody has started from one by
        hand is none of ours.
        """
        labels = (f"project={self.project}", f"service={service}", "oneoff=False")
        filters = [f"--filter=label={LABEL}.{label}" for label in labels]
        shown = "\t".join(
            ["{{.Names}}", *(f'{{{{.Label "{LABEL}.{x}"}}}}' for x in ("config-hash", "image"))]
        )
        lines = self.lines("docker", "ps", *filters, *options, "--format", shown)
        found = []
        for line in lines:
            name, settings, image = [*line.split("\t"), "", ""][:3]
            number = re.search(r"\d+$", name)
            found.append(Container(name, int(number[0]) if number else 0, settings, image))
        return sorted(found, key=lambda one: one.number)

    def nginx(self) -> str:
        """Return the container of nginx; nothing where it does not run."""
        return next((one.name for one in self.of_service("nginx")), "")

    def instances(self) -> list[tuple[str, str]]:
        """Return the kind and name of each instance that runs."""
        return [(kind, one.name) for kind in KINDS for one in self.of_service(kind)]

    def stale(self) -> list[tuple[str, str]]:
        """Return those that run another image, or by other settings, than they would now.

        As Compose decides: by its hash of a service's settings and by the image.  Of more
        instances than there should be, the others go without a successor.
        """
        hashes = self.lines(*COMPOSE, "config", "--hash", ",".join(KINDS))
        settings = dict(line.split()[:2] for line in hashes)
        image = self.read("docker", "image", "inspect", "--format", "{{.Id}}", self.image())
        found = []
        for kind in KINDS:
            there = self.of_service(kind, "--all")
            old = [one for one in there if (one.settings, one.image) != (settings.get(kind), image)]
            wanted = self.settings.instances(kind) - (len(there) - len(old))
            found += [(kind, one.name) for one in old[: max(0, wanted)]]
        return found

    def image(self) -> str:
        """Return the name of the site's image."""
        return f"{self.project}-app"

    def all_serve(self) -> bool:
        """Tell whether as many instances are healthy as there should be."""
        return all(
            len(self.of_service(kind, "--filter=health=healthy")) == self.settings.instances(kind)
            for kind in KINDS
        )

    def published(self, container: str) -> set[str]:
        """Return the ports of this machine that lead to a container."""
        form = "{{json .NetworkSettings.Ports}}"
        ports = json.loads(self.read("docker", "inspect", "--format", form, container) or "null")
        bound = [one for bindings in (ports or {}).values() for one in bindings or []]
        return {one["HostPort"] for one in bound}
