"""The ports that the engine publishes: free before it starts, and leading to the site after it."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path

from tandem.facts import TLS
from tandem.ops.checkout.programs import Failed, say
from tandem.ops.replica.ask import Site, Verdict, ask
from tandem.ops.replica.stack import COMPOSE, UP, Stack

EVERYWHERE, LOOPBACK = "0.0.0.0", "127.0.0.1"  # noqa: S104
PORTS = {"https": "HTTPS_PORT", "http": "HTTP_PORT"}
RESTART_SECONDS = 400
# Of another site it is not known what it has.
PAGES = {
    "Chat": "/chat/lobby/", "Gallery": "/gallery/", "Changes": "/notifications/", "Admin": "/admin/"
}  # fmt: skip
SOCKET = "/ws/hello/"


@dataclass(frozen=True)
class Where:
    """Where the site is for who sits at this machine."""

    address: str
    name: str
    http_port: str
    https_port: str
    pages: dict[str, str]

    @classmethod
    def of(cls, stack: Stack) -> Where:
        """Return where a stack's site is."""
        value = stack.settings
        address = value["BIND_ADDRESS"]
        return cls(
            LOOPBACK if address == EVERYWHERE else address, value["SERVER_NAMES"].split(",")[0],
            value["HTTP_PORT"], value["HTTPS_PORT"], {} if stack.place else PAGES,
        )  # fmt: skip

    def port(self, scheme: str) -> str:
        """Return the port of a scheme."""
        return self.http_port if scheme == "http" else self.https_port


@dataclass(frozen=True)
class Problem:
    """What is wrong at a port."""

    verdict: Verdict
    sentence: str

    @property
    def mendable(self) -> bool:
        """Tell whether the engine forwards again once nginx is restarted."""
        return self.verdict in (Verdict.REFUSED, Verdict.SILENT)


def free(stack: Stack) -> None:
    """Fail unless the ports are free, or the replica's own.

    A container that cannot get its port would only fail after its predecessor has gone.
    """
    where = Where.of(stack)
    if where.http_port == where.https_port:
        raise Failed(
            f"HTTP_PORT and HTTPS_PORT are both {where.http_port};"
            " set one of them in .env to another."
        )
    nginx = stack.nginx()
    own = stack.published(nginx) if nginx else set()
    for scheme in ("http", "https"):
        port = where.port(scheme)
        if port in own or not listens(where.address, int(port)):
            continue
        shown = ("docker", "ps", "--filter", f"publish={port}", "--format", "{{.Names}}")
        owner = next((f" by the container {name}" for name in stack.lines(*shown)), "")
        raise Failed(
            f"port {port} is taken{owner}; stop what listens there or set {PORTS[scheme]} in .env"
            " to another."
        )


def listens(address: str, port: int) -> bool:
    """Tell whether somebody takes connections at a port."""
    try:
        socket.create_connection((address, port), timeout=2).close()
    except OSError:
        return False
    return True


def verify(stack: Stack, mend: bool = False) -> None:
    """Fail unless the site answers at all addresses that are printed.

    To ``mend`` is to restart nginx where the engine has stopped forwarding a port: only that
    makes it begin again.
    """
    nginx, where = stack.nginx(), Where.of(stack)
    if not nginx or not stack.instances():
        return  # 'make ps' shows that
    certificate = stack.read("docker", "exec", nginx, "cat", f"{TLS}/fullchain.pem")
    if not certificate:
        raise Failed("nginx does not answer the engine; 'make logs S=nginx' shows why.")
    site = Site(
        where.name, certificate, stack.settings["PROXY_PROTOCOL"] == "on",
        ("/", *where.pages.values()), SOCKET if where.pages else "",
    )  # fmt: skip
    if problem := check(site, where, where.address):
        if not problem.mendable:
            raise Failed(f"{problem.sentence}.")
        if not mend:
            raise Failed(f"{problem.sentence}; 'make up' mends it.")
        restart(stack, problem)
        if problem := check(site, where, where.address):
            raise Failed(f"{problem.sentence}.")
    # The name that is printed: it may lead elsewhere, which is not for this machine to mend.
    if where.name == where.address or not (problem := check(site, where, where.name)):
        return
    line = f"'{where.address} {where.name}' in /etc/hosts"
    if problem.mendable:
        say(
            f"from this machine {where.name} does not lead to the site, which answers at"
            f" {where.address}: {line} makes it."
        )
    elif problem.verdict is Verdict.ANOTHER and where.name != "localhost":
        say(
            f"from this machine {where.name} leads to another site than this, which answers at"
            f" {where.address}: {line} changes that."
        )
    else:
        raise Failed(f"{problem.sentence}.")


def restart(stack: Stack, problem: Problem) -> None:
    """Restart nginx, after a word of it."""
    say(f"{problem.sentence}; restarting nginx, which closes its sockets (docs/replica.md).")
    stack.attempt_here(
        "nginx could not be restarted; 'make up' starts it once its ports are free.",
        *COMPOSE, "restart", "nginx", seconds=RESTART_SECONDS,
    )  # fmt: skip
    stack.attempt_here(
        "nginx does not get healthy; 'make logs S=nginx' shows why.",
        *UP, "--wait", "--no-recreate", shown=3,
    )  # fmt: skip


def check(site: Site, where: Where, address: str) -> Problem | None:
    """Return what is wrong at an address, at either port."""
    for scheme in PORTS:
        port = where.port(scheme)
        verdict, said = ask(site, scheme, address, int(port))
        if verdict is Verdict.SILENT and not forwarded(port):
            verdict = Verdict.ANOTHER
        at = f"{address}:{port}"
        sentence = {
            Verdict.FINE: "",
            Verdict.REFUSED: f"nothing listens at {at}: the engine no longer forwards that port"
            " to nginx",
            Verdict.SILENT: f"nothing answers at {at}: the engine does not forward that port"
            " to nginx",
            Verdict.ANOTHER: f"what answers at {at} is not this site; stop what listens there, or"
            f" set {PORTS[scheme]} in .env to another",
            Verdict.WRONG: f"{said}; 'make logs' shows why",
        }[verdict]
        if sentence:
            return Problem(verdict, sentence)
    return None


def forwarded(port: str, processes: Path = Path("/proc")) -> bool:
    """Tell whether the engine's process that takes what comes to a port of loopback runs.

    Where its processes cannot be seen (it runs in a machine of its own), it is believed to.
    """
    if not (processes / "self").exists():
        return True
    for folder in processes.glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            named = (folder / "comm").read_text().strip()
        except OSError:
            continue  # it has ended meanwhile
        if named == "docker-proxy" and port.encode() in words:
            return True
    return False


def welcome(stack: Stack) -> None:
    """Print what ``make up`` ends with."""
    where = Where.of(stack)
    url = f"https://{where.name}:{where.https_port}"
    redirect = f"http://{where.name}:{where.http_port}/"
    rows = {"Site": f"{url}/   ({redirect} redirects)"}
    if stack.place:
        named = stack.environment["SITE"]
        rows["First user"] = f"make manage C=createsuperuser SITE={named}"
    else:
        rows |= {page: f"{url}{path}" for page, path in where.pages.items()}
        rows["Login"] = "demo / demo (admin) or guest / guest"
    rows["Release"] = stack.environment.get("TANDEM_RELEASE", "")
    lines = [f"  {name:11} {what}" for name, what in rows.items()]
    ends = (
        "  The certificate is self-signed: your browser asks once.  'make' lists what else there"
        " is."
    )
    print("\n".join(["", *lines, "", ends]))
