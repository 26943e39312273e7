#!/usr/bin/env bash
# Remove the instances that no route needs any more; Compose waits for them in vain.
set -euo pipefail
cd "$(dirname "$0")/.."
. docker/lib.sh
. docker/instances.sh
. docker/steps.sh

for kind in "${kinds[@]}"; do
    [ "$(setting "${kind^^}_INSTANCES")" = 0 ] || continue
    mapfile -t retired < <(containers "$kind")
    [ ${#retired[@]} -gt 0 ] || continue
    try "nginx did not reload." docker/reload.sh # it may still send to them
    try "the instances of $kind do not stop." docker stop "${retired[@]}"
    try "the instances of $kind could not be removed." docker rm "${retired[@]}"
done
