"""Have the running nginx serve by other files: reload it, and route by another file."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from tandem.facts import NGINX_FILES, NGINX_MADE, TLS
from tandem.ops.checkout.programs import CACHE, Failed, tail
from tandem.ops.nginx.generate import edge_config
from tandem.ops.replica.stack import Stack

# In nginx' container.  Workers of before and after accept side by side for a moment, which is
# over when those of before have begun to shut down.
RELOAD = r"""
accepting() {
    for process in /proc/[0-9]*; do
        if [ "$(cat "$process/cmdline" 2>/dev/null | tr -d "\0")" = "nginx: worker process" ]; then
            echo "${process#/proc/}"
        fi
    done
}
before=$(accepting)
said=$(nginx -s reload 2>&1) || { echo "$said" >&2; exit 1; }
tries=0
until curl -sk -H "Host: localhost" https://localhost/health/edge/ | grep -q "\"$1\"" &&
    ! accepting | grep -qxF "$before"; do
    tries=$((tries + 1))
    [ "$tries" -lt 600 ]
    sleep 0.05
done
"""
# The same: its own files and the new ones, at another place, where it judges them.
JUDGE = f"""
rm -rf /tmp/next && mkdir /tmp/next && cp -r {NGINX_FILES} /tmp/next/static &&
cp -r {NGINX_MADE} /tmp/next/generated && tar -xC /tmp/next/generated &&
find /tmp/next -name "*.conf" -exec sed -i \
    "s#{NGINX_FILES}/#/tmp/next/static/#; s#{NGINX_MADE}/#/tmp/next/generated/#" {{}} + &&
said=$(nginx -t -q -c /tmp/next/static/nginx.conf 2>&1)
status=$?
[ $status = 0 ] || echo "$said"
rm -rf /tmp/next
exit $status
"""
# In a container that may write nginx' files.
WRITE = f"""
cd {NGINX_MADE}; trap "rm -rf .next" EXIT; mkdir -p .next
tar -xC .next; chmod 644 .next/*.conf; mv .next/*.conf .
"""


def generated(stack: Stack) -> str:
    """Return a hash of the files that nginx has read or would; nothing where none runs."""
    files = f"cat {NGINX_MADE}/*.conf {TLS}/fullchain.pem | sha256sum"
    return inside(stack, "sh", "-c", files)


def inside(stack: Stack, *command: str) -> str:
    """Return what a command in nginx' container prints; nothing where it fails."""
    name = stack.nginx()
    return stack.read("docker", "exec", name, *command) if name else ""


def reload(stack: Stack) -> None:
    """Make nginx read its generated files again, and wait until it serves by them."""
    name, made = stack.nginx(), inside(stack, "cat", f"{NGINX_MADE}/server.conf")
    try:
        wanted = edge_config({"server.conf": made})
    except ValueError:
        raise Failed("nginx did not reload; 'make ps' shows whether it runs.") from None
    if stack.run("docker", "exec", name, "sh", "-euc", RELOAD, "reload", wanted):
        raise Failed(
            "nginx did not take the new configuration within half a minute; 'make logs S=nginx'"
            " shows why."
        )
    # Sockets leave the old workers, so that those end.
    if stack.run("docker", "exec", name, "sh", f"{NGINX_FILES}/move-sockets.sh"):
        raise Failed("the sockets of nginx' old workers could not be moved.")


def route(stack: Stack, routes: Path) -> None:
    """Have nginx route by another file, within about a second.

    What nginx does not accept changes nothing.  ``make up`` would do the same, and all else.
    """
    stack.lock("another command of this checkout changes the replica")
    name = stack.nginx()
    if not name:
        raise Failed("the replica does not run, so nothing was changed; 'make up' starts it.")
    log = CACHE / "routes.log"
    with log.open("w") as said:
        # What nginx's volume can be written by starts meanwhile, and waits for a word.
        writer = stack.start(
            "docker", "run", "--rm", "--interactive", "--network", "none",
            "--volume", f"{stack.project}_nginx-config:{NGINX_MADE}",
            f"{stack.project}-first-run", "sh", "-euc", WRITE,
            stdin=subprocess.PIPE, stderr=said, text=False,
        )  # fmt: skip
    try:
        files = render(stack, routes)
        judge = stack.start(
            "docker", "exec", "--interactive", name, "sh", "-uc", JUDGE,
            stdin=subprocess.PIPE, stdout=2, text=False,
        )  # fmt: skip
        stack.end(judge, files)
        if judge.returncode:
            raise Failed("nginx does not accept that (above); it still routes as before.")
    except BaseException:
        stack.end(writer)  # it gets nothing, and so changes nothing
        raise
    stack.end(writer, files)
    if writer.returncode:
        tail(log.read_text().splitlines(), 8)
        raise Failed("nginx's files could not be written; it still routes as before.")
    reload(stack)


def render(stack: Stack, routes: Path) -> bytes:
    """Return the files that nginx gets for other routes, as an archive."""
    # As 'make up' has found it in the site.
    static = "snippets" in inside(stack, "cat", f"{NGINX_MADE}/static.conf")
    settings = stack.settings.all() | {"SITE_STATIC": "on" if static else ""}
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.run(
            [sys.executable, "-m", "tandem.ops.nginx.generate", routes, folder],
            env=stack.environment | settings, check=False,
        )  # fmt: skip
        if process.returncode:
            raise Failed("nothing was changed; correct the above and run it again.")
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            for file in sorted(Path(folder).glob("*.conf")):
                tar.add(file, file.name)
    return archive.getvalue()
