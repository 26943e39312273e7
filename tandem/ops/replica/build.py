"""Build the replica's images, unless they are made of what they would be made of now."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tandem.ops.checkout import images
from tandem.ops.checkout.programs import CACHE, NO_SPACE, ROOT, STILL, Failed, say
from tandem.ops.replica.stack import COMPOSE, Stack

LOG = CACHE / "build.log"
MADE_OF = ("app", "tandem", "deploy", "docker", "requirements.lock", ".dockerignore")
SETUP = (*COMPOSE, "--profile", "setup")


def made(stack: Stack) -> Path:
    """Return the file that says what the images are made of, and which they are."""
    return CACHE / f"images-{stack.project}"


def build(stack: Stack) -> None:
    """Build what has changed, quietly."""
    base = images.base_image(stack, stack.settings["DEBIAN_RELEASE"])
    stack.environment |= images.secrets(stack.environment)
    inputs = _inputs(stack, base)
    file = made(stack)
    if file.exists() and file.read_text() == f"{inputs}\n{_images(stack)}\n":
        return
    name = LOG.relative_to(ROOT)
    say(f"building the images (log: {name}).")
    sentence = f"building the images failed; the whole story is in {name}. {STILL}"
    try:
        images.build(stack, LOG, sentence, *SETUP, "build", "--progress", "plain")
    except Failed:
        if NO_SPACE not in LOG.read_text(errors="replace").lower():
            raise
        raise Failed(
            "the disk is full: the images need about 2 GB; 'docker system df' shows what could go."
            f" {STILL}"
        ) from None
    file.write_text(f"{inputs}\n{_images(stack)}\n")


def _inputs(stack: Stack, base: str) -> str:
    contexts = [ROOT, *map(Path, filter(None, [stack.environment.get("SITE_CONTEXT")]))]
    found = [images.digest(context, *MADE_OF) for context in contexts]
    found.append(stack.read(*SETUP, "config"))
    found.append(stack.read("docker", "image", "inspect", "--format", "{{.Id}}", base))
    return hashlib.sha256("\n".join(found).encode()).hexdigest()


def _images(stack: Stack) -> str:
    """Return the stack's images, each with its id."""
    named = ("--filter", f"reference={stack.project}-*", "--format", "{{.Repository}} {{.ID}}")
    return "\n".join(sorted(stack.lines("docker", "image", "ls", "--no-trunc", *named)))
