#!/bin/sh
# The command of this checkout; docker/venv.sh copies it to .venv/bin/tandem.
root=$(readlink -f "$(dirname "$(readlink -f "$0")")/../..")
PYTHONPATH=$root${PYTHONPATH:+:$PYTHONPATH} exec "$root/.venv/bin/python" -m tandem "$@"
