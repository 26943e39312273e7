#!/usr/bin/env bash
# Print, as a shell array, ansible's options for the inventory in INVENTORY or, without
# one, for the rehearsal that `make servers` has booted.
set -euo pipefail
cd "$(dirname "$0")/.."
. docker/lib.sh

state=${SERVERS_STATE:-$PWD/.cache/servers}
if [ -n "${INVENTORY:-}" ]; then
    [ -e "$INVENTORY" ] || die "there is no inventory $INVENTORY; ansible/inventories has examples."
    echo "inventory=(--inventory $(printf '%q' "$(realpath "$INVENTORY")"))"
elif [ -f "$state/topology" ]; then
    echo "inventory=(--inventory $(printf '%q' "$(cat "$state/topology")") --inventory $(printf '%q' "$state/inventory.yml"))"
else
    die "no INVENTORY given and no servers are booted: make servers, or make … INVENTORY=ansible/inventories/yours/hosts.yml"
fi
