#!/bin/sh
# Give .venv the locked packages of the site and of other groups of pyproject.toml:
# venv.sh [GROUP…].  At once when nothing changed; else docker/venv.py does it, by a Python of
# this machine, which is all that is needed here.
set -eu
cd "$(dirname "$0")/.."

say() { echo "tandem: $*" >&2; }
ready() {
    cmp -s requirements-dev.lock .venv/.lock && [ -x .venv/bin/python ] || return 1
    for group in site "$@"; do grep -qxF "$group" .venv/.groups || return 1; done
}
usable() { "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

if ready "$@"; then exit 0; fi
python=${PYTHON:-python3}
if ! usable && [ "$(id -u)" = 0 ] && [ -x /usr/bin/apt-get ]; then
    say "installing python3 and python3-venv."
    docker/apt.sh python3 python3-venv || { say "installing them failed; the reason is above."; exit 1; }
fi
if ! usable; then
    say "Python 3.11 or newer with its venv module is needed; on Debian: sudo apt-get install python3-venv; elsewhere set PYTHON to one."
    exit 1
fi
exec "$python" docker/venv.py "$@"
