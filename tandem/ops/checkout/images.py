"""What images and releases are built from, and under which name."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from subprocess import DEVNULL, PIPE, STDOUT

from tandem.ops.adopt.causes import cause
from tandem.ops.checkout import debian
from tandem.ops.checkout.programs import ROOT, Failed, Programs, say, tail

PULL_SECONDS = 60  # a registry that cannot be reached may hang instead of refusing
RELEASED = ("app", "tandem", "deploy", "requirements.lock")
NOTHING = "/dev/null"
# The engine's own fault, not the step's: the process that was to become it is gone.
STUMBLED = re.compile(r"runc run failed: .*read init-p: connection reset by peer")
# As in compose.yaml.
SECRETS = {
    "ca-bundle": "TANDEM_CA_BUNDLE", "pip-conf": "TANDEM_PIP_CONF", "npmrc": "TANDEM_NPMRC",
}  # fmt: skip


def base_image(programs: Programs, suite: str) -> str:
    """Make sure that the image of a Debian release is here; return its name.

    It may be local, is pulled, or where no registry answers is built of this machine's Debian.
    """
    image = f"debian:{suite}-slim"
    run = partial(programs.run, out=DEVNULL, err=DEVNULL)
    if run("docker", "image", "inspect", image) == 0:
        return image
    say(f"fetching the base image {image}.")
    if run("docker", "pull", "--quiet", image, seconds=PULL_SECONDS) == 0:
        return image
    if not shutil.which("apt-get"):
        raise Failed(
            f"the image {image} cannot be pulled and this is not a Debian that could build it; give"
            f" this machine access to an image registry, or 'docker load' {image}."
        )
    debian.build_image(programs, image)
    return image


def secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """Return a company's TLS proxy and indexes, if this machine's own pip or npm use them."""
    found = {name: environment.get(name, NOTHING) for name in SECRETS.values()}
    bundles = (environment.get(n) for n in ("PIP_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"))
    bundle = next(filter(None, bundles), "")
    if Path(bundle).is_file():
        found["TANDEM_CA_BUNDLE"] = bundle
    home = Path.home()
    npmrc = Path(environment.get("NPM_CONFIG_USERCONFIG") or home / ".npmrc")
    if npmrc.is_file() and "registry" in npmrc.read_text():
        found["TANDEM_NPMRC"] = str(npmrc)
    for file in (
        Path(environment.get("PIP_CONFIG_FILE") or NOTHING),
        home / ".config/pip/pip.conf", home / ".pip/pip.conf", Path("/etc/pip.conf"),
    ):  # fmt: skip
        text = file.read_text() if file.is_file() else ""
        if "index-url" in text and "file://" not in text:
            return found | {"TANDEM_PIP_CONF": str(file)}
    return found


def secret_options(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield the options by which a build gets them."""
    for name, variable in SECRETS.items():
        yield f"--secret=id={name},src={environment.get(variable, NOTHING)}"


def build(programs: Programs, log: Path, sentence: str, *command: str | Path) -> None:
    """Run a build, again if the engine loses a step of it.

    Where it fails, what tells why is shown, and ``Failed`` is raised with that and the sentence.
    """
    log.parent.mkdir(exist_ok=True)
    for again in (False, True):
        with log.open("w") as file:
            status = programs.run(*command, out=file, err=STDOUT)
        if not status or again or not STUMBLED.search(log.read_text(errors="replace")):
            break
        say("the engine lost a step of the build as it began; it is built once more.")
    if status:
        found = cause(log.read_text(errors="replace"))
        tail(found.lines, len(found.lines))
        why = f"{found.sentence}. {sentence[0].upper()}{sentence[1:]}" if found.sentence else ""
        raise Failed(why or sentence)


def digest(root: Path, *names: str) -> str:
    """Return a hash of the files below ``names`` that go into images: names, modes and contents."""
    found = hashlib.sha256()
    for name in names:
        for path in sorted([root / name, *(root / name).rglob("*")]):
            inside = path.relative_to(root).as_posix()
            passed = (
                "__pycache__" in path.parts
                or path.suffix == ".sqlite3"
                or inside.startswith("app/media/")
            )
            if passed or path.is_symlink() or not path.is_file():
                continue
            found.update(f"{path.stat().st_mode:o} {inside}\0".encode(errors="surrogateescape"))
            with path.open("rb") as file:
                found.update(hashlib.file_digest(file, "sha256").digest())
    return found.hexdigest()


def release_name(programs: Programs) -> str:
    """Return the name of the release that the checkout makes.

    It is the commit, and for a changed checkout a hash of the changes, so that two different
    releases never share a name.
    """
    commit = programs.read("git", "rev-parse", "--short=8", "HEAD")
    if not commit:
        return "dev"
    if not programs.read("git", "status", "--porcelain", "--", *RELEASED):
        return commit
    process = programs.start("git", "diff", "--binary", "HEAD", "--", *RELEASED, stdout=PIPE)
    changes = hashlib.sha256(os.fsencode(programs.end(process)))
    new = ("git", "ls-files", "-z", "--others", "--exclude-standard", "--", *RELEASED)
    for name in filter(None, programs.read(*new).split("\0")):
        changes.update(f"{name}\0".encode(errors="surrogateescape"))
        changes.update((ROOT / name).read_bytes())
    return f"{commit}-{changes.hexdigest()[:8]}"
