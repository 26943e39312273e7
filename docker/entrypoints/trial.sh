#!/usr/bin/env bash
# Run one instance of this release that nginx does not know, and watch it: trial.sh wsgi|asgi|notify
set -euo pipefail

export TANDEM_UPSTREAM=$1@trial
socket=/run/tandem/$TANDEM_UPSTREAM.sock
# It serves nobody: those who do come first.
nice -n 19 python -m tandem.instance.listen "$socket" /srv/tandem/current/deploy/run.sh "$1" &
server=$!
trap 'kill $server $watch 2>/dev/null || true; rm -f "$socket"' EXIT
python -m tandem.instance.trial "$TANDEM_UPSTREAM" &
watch=$!
# Whichever ends first: the server must not.
status=0
wait -n -p ended $server $watch || status=$?
if [ "$ended" = $server ]; then
    echo "$TANDEM_UPSTREAM ended by itself (status $status)." >&2
    exit 1
fi
exit $status
