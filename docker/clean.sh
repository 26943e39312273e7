#!/usr/bin/env bash
# `make clean`: remove the replica with all its data, after asking.
set -euo pipefail
cd "$(dirname "$0")/.."
. docker/lib.sh

project=$(setting COMPOSE_PROJECT_NAME)
echo "This deletes, for good:"
docker volume ls --quiet --filter "label=com.docker.compose.project=$project" | sed 's/^/  volume /'
docker compose images --quiet 2>/dev/null | sort -u | sed 's/^/  image /' || true
echo "  folders .cache and .dev (the database of 'make dev')"
if [ "${YES:-}" != 1 ]; then
    [ -t 0 ] || die "not asking without a terminal; 'make clean YES=1' deletes without asking."
    read -rp "Type the name of the stack, $project, to delete it: " answer
    [ "$answer" = "$project" ] || die "nothing was deleted."
fi
docker compose down --volumes --remove-orphans --rmi local
rm -rf .cache .dev
