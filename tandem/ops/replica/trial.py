"""Try what is new before anything that runs is touched."""

from __future__ import annotations

from subprocess import STDOUT, Popen

from tandem.facts import KINDS, NGINX_MADE, TLS
from tandem.ops.checkout.programs import CACHE, STILL, say, told
from tandem.ops.replica.stack import ONCE, RUN, Stack


def candidate(stack: Stack) -> None:
    """Try the new files: nginx judges its configuration, the site is loaded."""
    # The candidate's configuration, in volumes of its own.
    volumes = {f"{stack.project}_candidate": NGINX_MADE, f"{stack.project}_candidate-tls": TLS}
    mounts = [word for name, at in volumes.items() for word in ("--volume", f"{name}:{at}")]
    attempt = stack.attempt_here
    try:
        attempt(
            f"the settings or deploy/routes.yml are wrong. {STILL}", *ONCE, *mounts, "first-run"
        )
        attempt(
            f"nginx does not accept the files of deploy/nginx. {STILL}",
            *ONCE, *mounts, "nginx", "nginx", "-t", "-q",
        )  # fmt: skip
        attempt(f"the site does not load. {STILL}", *ONCE, "wsgi", RUN, "load")
    finally:
        stack.read("docker", "volume", "rm", "--force", *volumes)


def beside(stack: Stack) -> None:
    """Run the built release beside the running one, where nginx does not see it, and watch it."""
    say("trying the new release beside the running one.")
    kinds = [kind for kind in KINDS if stack.settings.instances(kind)]
    logs = {kind: CACHE / f"try.log.{kind}" for kind in kinds}
    tried: dict[str, Popen[str]] = {}
    for kind in kinds:
        with logs[kind].open("w") as log:
            command = (*ONCE, kind, "trial.sh", kind)
            tried[kind] = stack.start(*command, stdout=log, stderr=STDOUT)
    try:
        for process in tried.values():
            stack.end(process)
    except BaseException:
        for process in tried.values():
            process.wait()  # it has been told to end, or runs for seconds only
        raise
    for kind, process in tried.items():
        if process.returncode:
            told(logs[kind], 8, f"the new release does not work on {kind}. {STILL}")
