#!/usr/bin/env bash
# Give .venv the locked packages of the site and of other groups of pyproject.toml:
# venv.sh [GROUP…].  At once when nothing changed; two may run at the same time.
set -euo pipefail
cd "$(dirname "$0")/.."
. docker/lib.sh

lock=requirements-dev.lock made=.venv/.lock held=.venv/.groups unfinished=.venv/.unfinished log=.cache/venv.log
groups=(site "$@")
ready() { cmp -s "$lock" "$made" && [ -x .venv/bin/python ] && ! printf '%s\n' "${groups[@]}" | grep -qvxFf "$held"; }
usable() { "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
fetch() { # COMMAND…: keep what it says, show what it downloads; else end with the reason
    if "$@" 2>&1 | tee "$log" | { grep --line-buffered '^Downloading' >&2 || true; }; then return; fi
    if ! grep -qE 'Failed to fetch|Retrying \(|Could not fetch' "$log"; then
        tail -8 "$log" >&2
        die "installing the packages of $lock failed; the reason is above."
    fi
    [ ! -f "$made" ] || rm -f "$unfinished" # everything is fetched before the first is installed
    reason=$(sed -nE "s/^ *(Caused by|cause): //p; s/.*connection broken by '(.*)'.*/\1/p" "$log" | tail -1)
    die "the package index does not give the packages (${reason:-see $log}); check the network, and the index-url, proxy and cert of pip ('python3 -m pip config list')."
}

ready && exit 0
mkdir -p .cache
exec 9>.cache/venv.lock
flock --nonblock 9 || { say "waiting for another command, which makes .venv."; flock 9; }
ready && exit 0
began=$SECONDS
say "installing the packages of ${groups[*]} into .venv."
# What an interrupted run has left is not to be trusted.
if [ -e "$unfinished" ] || [ ! -f "$made" ] || ! .venv/bin/python -c '' 2>/dev/null; then
    python=${PYTHON:-python3}
    if ! usable && [ "$(id -u)" = 0 ] && [ -x /usr/bin/apt-get ]; then
        say "installing python3 and python3-venv."
        docker/apt.sh python3 python3-venv || die "installing them failed; the reason is above."
    fi
    usable || die "Python 3.11 or newer with its venv module is needed; on Debian: sudo apt-get install python3-venv; elsewhere set PYTHON to one."
    "$python" -m venv --clear .venv
    awk '/^[^ #]/ { uv = /^uv==/ } uv' "$lock" >.venv/.uv
    fetch .venv/bin/pip install --quiet --retries 2 --require-hashes --no-deps --only-binary :all: -r .venv/.uv
fi
touch "$unfinished" "$held"
mapfile -t groups < <(printf '%s\n' "${groups[@]}" | sort -u - "$held")
# The lock is a constraint: pyproject.toml says what, the lock which, and with which hashes.
fetch .venv/bin/python docker/uv.py pip install --python .venv --exact --require-hashes --only-binary :all: \
    --constraints "$lock" --requirements pyproject.toml --all-extras "${groups[@]/#/--group=}"
# Half of Python's start is saved; of Ansible's collections hardly a file is ever imported.
.venv/bin/python -m compileall -qq -j 0 -x ansible_collections .venv/lib || true # an example of wrong syntax is no fault
cp docker/tandem.sh .venv/bin/tandem
printf '%s\n' "${groups[@]}" >"$held"
cp "$lock" "$made"
rm "$unfinished"
say ".venv is ready ($((SECONDS - began)) s)."
