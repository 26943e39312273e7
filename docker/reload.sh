#!/usr/bin/env bash
# Make the running nginx read its generated files again, and wait until it serves by them.
set -euo pipefail
cd "$(dirname "$0")/.."
. docker/lib.sh
. docker/instances.sh

nginx=$(containers nginx | head -1)
# Workers of before and after accept side by side for a moment, which is over when those of
# before have begun to shut down.
# shellcheck disable=SC2016
docker exec "$nginx" sh -euc '
    accepting() {
        for process in /proc/[0-9]*; do
            if [ "$(cat "$process/cmdline" 2>/dev/null | tr -d "\\0")" = "nginx: worker process" ]; then echo "${process#/proc/}"; fi
        done
    }
    wanted=$(sed -n "s/^map \$host \$edge_config { default \"\(.*\)\"; }\$/\1/p" /etc/tandem/nginx/server.conf)
    before=$(accepting)
    said=$(nginx -s reload 2>&1) || { echo "$said" >&2; exit 1; }
    tries=0
    until curl -sk -H "Host: localhost" https://localhost/health/edge/ | grep -q "\"$wanted\"" &&
        ! accepting | grep -qxF "$before"; do
        tries=$((tries + 1))
        [ "$tries" -lt 600 ]
        sleep 0.05
    done' || die "nginx did not take the new configuration within half a minute; 'make logs S=nginx' shows why."
# Sockets leave the old workers, so that those end.
docker exec "$nginx" sh /etc/nginx/tandem/move-sockets.sh
