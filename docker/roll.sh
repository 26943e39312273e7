#!/usr/bin/env bash
# Replace the instances of the site one after the other, without a failed request:
# roll.sh [all]; without "all", only those that run something else than they would now.
set -euo pipefail
cd "$(dirname "$0")/.."
. docker/lib.sh
. docker/instances.sh

log=.cache/roll.log
: >"$log"

# Not --no-deps: Compose would count that as another setting, and replace it at the next up.
start() { docker compose up --detach --no-recreate --wait --wait-timeout 90 "$1" >>"$log" 2>&1; }
# The container that was not there before: SERVICE
fresh() { docker compose ps --all --format '{{.Name}}' "$1" | grep -vxF "$others" | head -1 || true; }
replace() { # CONTAINER SERVICE: nginx passes it over, it ends what it is at, its successor starts
    # shellcheck disable=SC2016
    docker exec "$1" sh -c 'TANDEM_UPSTREAM=$(cat /tmp/instance) exec python -m tandem.instance.handover leave' >>"$log" 2>&1 || true
    docker stop "$1" >>"$log" 2>&1
    docker rm --force "$1" >>"$log" 2>&1
    start "$2" || return 1
    # Compose counts on; the instance has the number, and so the name, of its predecessor.
    # With fewer instances than before there is none; of the first, the name is free.
    local new
    new=$(fresh "$2")
    [ -z "$new" ] || docker inspect "$1" >/dev/null 2>&1 || docker rename "$new" "$1" >>"$log" 2>&1
}

if [ "${1-}" = all ]; then wanted=$(instances); else wanted=$(stale); fi
for name in $wanted; do
    kind=${name#"$project"-} kind=${kind%-*}
    say "replacing ${name#"$project"-}."
    old=$(docker inspect --format '{{.Image}}' "$name")
    others=$(containers "$kind" | grep -vxF "$name" || true)
    if ! replace "$name" "$kind"; then
        new=$(fresh "$kind")
        docker logs --tail 15 "$new" >&2 || true
        docker tag "$old" "$project-app"
        docker rm --force "$new" >>"$log" 2>&1 || true
        start "$kind" && docker rename "$(fresh "$kind")" "$name"
        die "${name#"$project"-} did not get healthy; its last lines are above. It runs the old release again, and those after it never left it."
    fi
done
