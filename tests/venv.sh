#!/usr/bin/env bash
# Make .venv with the locked development packages; quick when nothing changed.
set -euo pipefail
cd "$(dirname "$0")/.."
. docker/lib.sh

lock=requirements-dev.lock stamp=.venv/.requirements
tandem() { # the command of this checkout
    cat >.venv/bin/tandem <<'SH'
#!/bin/sh
root=$(readlink -f "$(dirname "$(readlink -f "$0")")/../..")
PYTHONPATH=$root${PYTHONPATH:+:$PYTHONPATH} exec "$root/.venv/bin/python" -m tandem "$@"
SH
    chmod +x .venv/bin/tandem
}
if cmp -s "$lock" "$stamp"; then
    [ -x .venv/bin/tandem ] || tandem
    exit 0
fi
python=${PYTHON:-python3}
if ! "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    if [ "$(id -u)" = 0 ] && [ -x /usr/bin/apt-get ]; then
        say "installing python3 and python3-venv."
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3 python3-venv >/dev/null
    fi
    "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
        die "Python 3.11 or newer with its venv module is needed; on Debian: sudo apt-get install python3-venv; elsewhere set PYTHON to one."
fi
say "installing the development packages into .venv."
"$python" -m venv --clear .venv
.venv/bin/pip install --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary :all: -r "$lock" ||
    die "installing the packages of $lock failed; the reason is above."
tandem
cp "$lock" "$stamp"
