#!/usr/bin/env bash
# Run the built release beside the running one, where nginx does not see it, and watch it.
set -euo pipefail
cd "$(dirname "$0")/.."
. docker/lib.sh
. docker/instances.sh

log=.cache/try.log
say "trying the new release beside the running one."
declare -A tried
for kind in "${kinds[@]}"; do
    [ "$(setting "${kind^^}_INSTANCES")" -gt 0 ] || continue
    docker compose run --rm --no-deps -T "$kind" trial.sh "$kind" >"$log.$kind" 2>&1 </dev/null &
    tried[$!]=$kind
done
bad=""
for pid in "${!tried[@]}"; do
    wait "$pid" || bad=${tried[$pid]}
done
if [ -n "$bad" ]; then
    grep -vE '^ (Container|Network|Volume) |^ *$' "$log.$bad" | tail -8 >&2 || true
    die "the new release does not work on $bad. What ran before is still running."
fi
