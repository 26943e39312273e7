"""The site's own image, and in it the site that is asked: within bounds, and without secrets."""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from dataclasses import replace
from pathlib import Path

from tandem import facts
from tandem.ops.adopt.answer import Answer, parse
from tandem.ops.adopt.conversation import NotAskedError
from tandem.ops.adopt.findings import AdoptError
from tandem.ops.adopt.lines import text
from tandem.ops.adopt.model import Site
from tandem.ops.checkout import images, python
from tandem.ops.checkout import site as sites
from tandem.ops.checkout.programs import CACHE, ROOT, Failed, Programs, say

LOG = CACHE / "asking.log"
SECONDS = 60.0  # tandem.adopted.ask ends itself then, and says where it was
HARD = 1.5  # times as many are the end, whatever it says
MARGIN_SECONDS = 15  # for the engine, which may be gone
OUT_BYTES = 4_000_000  # of an answer
ERR_BYTES = 16_000_000  # of what the site prints
KEPT = 4_000
MEMORY = "1g"
PROCESSES = 256
KILLED = 137
LATE = "it does not end within {:g} s"
RELEASE = f"{facts.RELEASES}/replica"
CODE = f"{RELEASE}/site/app"
LIMITS = (
    "--network=none", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges",
    f"--memory={MEMORY}", f"--memory-swap={MEMORY}", f"--pids-limit={PROCESSES}",
    "--ulimit=core=0", "--log-driver=none", "--user=tandem",
)  # fmt: skip
WRITABLE = ("/tmp", "/var/tmp", facts.DATA, facts.MEDIA)  # noqa: S108 - the container's own
# Of a site, what its image is made of; all else is told to the container.
MADE_OF = (
    "name", "root", "include", "requirements", "packages", "system_packages", "build_packages",
    "database", "redis", "python",
)  # fmt: skip


class Image:
    """The image of a site, as ``make up`` builds it a minute later from the same layers."""

    def __init__(
        self, source: Path, home: Path, debian: str, programs: Programs, cache: str = ""
    ) -> None:
        self.source, self.home, self.debian, self.programs = source, home, debian, programs
        self.cache = cache or sites.cache(home)
        self.name = f"asked/{self.cache}-{os.getpid()}"
        self.seconds = SECONDS
        self._made_of: tuple[object, ...] = ()

    def __enter__(self) -> Image:
        return self

    def __exit__(self, *_: object) -> None:
        """Let the image go; its layers stay in the engine's cache."""
        if self._made_of:
            self.programs.read("docker", "image", "rm", "--force", self.name)

    def __call__(self, site: Site) -> Answer:
        """Ask the site.  Raises ``NotAskedError`` where its image cannot be built."""
        made_of = tuple(getattr(site, name) for name in MADE_OF)
        if made_of != self._made_of:
            try:
                self._build(site)
            except (Failed, AdoptError) as error:
                raise NotAskedError(str(error)) from None
            self._made_of = made_of
            say("asking the site what it is.")
        return ask(self.programs, self.name, site, self.seconds)

    def _build(self, site: Site) -> None:
        context = sites.CONTEXTS / site.name
        debian = python.debian(site) if site.python else self.debian
        # Of what a front end builds no code is asked.  Secrets have no meaning here, nor has
        # anything that is only known when it serves.
        plain = replace(site, environment={}, secrets=(), front_ends={})
        sites.lay_out(plain, self.home, self.source, context, debian, self.programs)
        images.base_image(self.programs, debian)
        arguments = {
            "DEBIAN_RELEASE": debian, "SITE_WHEELS": "wheel",
            "SITE_CACHE": self.cache,
            "SITE_SYSTEM_PACKAGES": " ".join(site.system_packages),
            "SITE_BUILD_PACKAGES": " ".join(site.build_packages),
        }  # fmt: skip
        say(f"building the site's image (log: {LOG.relative_to(ROOT)}).")
        images.build(
            self.programs, LOG,
            f"the site's image cannot be built; the whole story is in {LOG.relative_to(ROOT)}.",
            "docker", "buildx", "build", "--progress=plain", "--target=code", "--load",
            f"--tag={self.name}", f"--file={context}/docker/Dockerfile",
            *(f"--build-arg={key}={given}" for key, given in arguments.items()),
            *images.secret_options(images.secrets(self.programs.environment)), context,
        )  # fmt: skip


def root(site: Site) -> str:
    """Return the working directory of a site's processes."""
    return CODE if site.root == "." else f"{CODE}/{site.root}"


def environment(site: Site) -> dict[str, str]:
    """Return what deploy/run.sh gives to the processes of a site, and no secret."""
    folders = [root(site), *(f"{CODE}/{one}" for one in site.python_path if one != ".")]
    return {
        "PATH": f"{RELEASE}/venv/bin:/usr/bin:/bin",
        "PYTHONPATH": ":".join([f"{RELEASE}/site", *folders]),
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": "/var/tmp/home",  # noqa: S108 - the container's own
        "LANG": "C.UTF-8",
        "STATIC_ROOT": f"{RELEASE}/static",
        "MEDIA_ROOT": facts.MEDIA,
        "DATA_ROOT": facts.DATA,
        "SITE_STATIC": "on" if site.static else "",
        "SITE_SECRETS": " ".join(site.secrets),
        **sites.variables(site),
    }


def ask(programs: Programs, image: str, site: Site, seconds: float) -> Answer:
    """Run a container in which the site is loaded; return what that tells."""
    hard = seconds * HARD
    name = f"asked-{os.getpid()}-{time.monotonic_ns()}"
    given = environment(site).items()
    command = (
        "docker", "run", "--rm", f"--name={name}", *LIMITS,
        *(f"--tmpfs={folder}:mode=1777,size=64m" for folder in WRITABLE),
        *(word for key, value in given for word in ("--env", f"{key}={value}")),
        f"--workdir={root(site)}", image,
        # In there it also ends where this process was killed.
        "timeout", "--signal=KILL", str(hard), f"{RELEASE}/venv/bin/python", "-m",
        "tandem.adopted.ask", str(seconds),
    )  # fmt: skip
    began = time.monotonic()
    process = programs.start(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=False)
    try:
        out, err, ended = bounded(process, hard + MARGIN_SECONDS)
    finally:
        if process.poll() is None:
            process.kill()  # what it has still to print would keep the engine from ending it
            programs.read("docker", "rm", "--force", name)
        process.wait()
    if not ended and process.returncode == KILLED:
        late = time.monotonic() - began >= hard
        ended = LATE.format(hard) if late else "it needs more than 1 GiB of memory"
    if not ended and process.returncode not in (0, 1):
        last = text(err.decode(errors="replace").strip().rpartition("\n")[2])
        ended = f"its process ended with {process.returncode}: {last}"
    return parse(out, ended)


def bounded(process: subprocess.Popen[str], seconds: float) -> tuple[bytes, bytes, str]:
    """Return what a process prints, and the last that it complains of.

    The third says why it is not heard to its end: it takes too long, or says too much.
    """
    said: dict[str, bytes] = {"out": b"", "err": b""}
    total, deadline = {"out": 0, "err": 0}, time.monotonic() + seconds
    limits = {"out": OUT_BYTES, "err": ERR_BYTES}
    with selectors.DefaultSelector() as selector:
        for kind, pipe in (("out", process.stdout), ("err", process.stderr)):
            assert pipe is not None  # noqa: S101 - both are pipes
            selector.register(pipe, selectors.EVENT_READ, kind)
        while selector.get_map():
            left = deadline - time.monotonic()
            if left <= 0:
                return said["out"], said["err"], LATE.format(seconds)
            for key, _ in selector.select(left):
                part = os.read(key.fd, 1 << 16)
                if not part:
                    selector.unregister(key.fileobj)
                total[key.data] += len(part)
                said[key.data] += part
                if key.data == "err":
                    said["err"] = said["err"][-KEPT:]
                if total[key.data] > limits[key.data]:
                    most = limits[key.data] // 1_000_000
                    return said["out"], said["err"], f"it prints more than {most} MB"
    return said["out"], said["err"], ""
