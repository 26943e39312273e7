#!/usr/bin/env bash
# Refuse to change a stack that another checkout has started: its containers would be taken over.
set -euo pipefail
cd "$(dirname "$0")/.."
. docker/lib.sh

project=$(setting COMPOSE_PROJECT_NAME)
[ "${TAKE_OVER:-}" != 1 ] || exit 0
docker ps --all --filter "label=com.docker.compose.project=$project" \
    --format '{{.Label "com.docker.compose.project.working_dir"}}' | sort -u | while read -r owner; do
    # Of a folder that is gone, moved or renamed, nobody else is in charge.
    if [ "$owner" != "$PWD" ] && [ -e "$owner/compose.yaml" ]; then
        die "the stack $project is that of the checkout $owner; give this one another COMPOSE_PROJECT_NAME, HTTP_PORT and HTTPS_PORT in .env, or let it have that stack with TAKE_OVER=1."
    fi
done
