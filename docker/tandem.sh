#!/bin/sh
# The command of this checkout; docker/venv.py copies it to .venv/bin/tandem.
self=$0
while [ -L "$self" ]; do # one in ~/bin, say, leads here
    to=$(readlink "$self")
    case $to in /*) self=$to ;; *) self=$(dirname "$self")/$to ;; esac
done
root=$(cd "$(dirname "$self")/../.." && pwd)
PYTHONPATH=$root${PYTHONPATH:+:$PYTHONPATH} exec "$root/.venv/bin/python" -m tandem "$@"
