#!/usr/bin/env bash
# Make the running nginx read its generated files again, and wait until it serves by them.
set -euo pipefail
cd "$(dirname "$0")/.."
. docker/lib.sh
. docker/instances.sh

nginx=$(containers nginx | head -1)
# Workers of before and after answer side by side for a moment: three times in a row.
# shellcheck disable=SC2016
docker exec "$nginx" sh -euc '
    wanted=$(sed -n "s/^map \$host \$edge_config { default \"\(.*\)\"; }\$/\1/p" /etc/tandem/nginx/server.conf)
    said=$(nginx -s reload 2>&1) || { echo "$said" >&2; exit 1; }
    tries=0
    until [ "$(for _ in 1 2 3; do curl -sk -H "Host: localhost" https://localhost/health/edge/; done | grep -c "\"$wanted\"")" = 3 ]; do
        tries=$((tries + 1))
        [ "$tries" -lt 50 ]
        sleep 0.05
    done' || die "nginx did not take the new configuration within some seconds; 'make logs S=nginx' shows why."
# Sockets leave the old workers, so that those end.
docker exec "$nginx" sh /etc/nginx/tandem/move-sockets.sh
