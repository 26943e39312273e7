#!/usr/bin/env bash
# Build the images, quietly, unless they are made of what they would be made of now; the log
# is in .cache/build.log, and what they are made of in .cache/images-STACK.
set -euo pipefail
cd "$(dirname "$0")/.."
. docker/lib.sh

project=$(setting COMPOSE_PROJECT_NAME) base=debian:$(setting DEBIAN_RELEASE)-slim
docker/base-image.sh "$base"
mkdir -p .cache
made=.cache/images-$project

. docker/build-secrets.sh

inputs() { # files, arguments, base
    local context
    for context in . ${SITE_CONTEXT:+"$SITE_CONTEXT"}; do
        (cd "$context" && find app tandem deploy docker requirements.lock .dockerignore -type f \
            ! -path '*/__pycache__/*' ! -name '*.sqlite3' ! -path 'app/media/*' \
            -printf '%m %p\n' -exec sha256sum {} + | sort)
    done
    docker compose --profile setup config
    docker image inspect --format '{{.Id}}' "$base"
}
images() { docker image ls --no-trunc --filter "reference=$project-*" --format '{{.Repository}} {{.ID}}' | sort; }

inputs=$(inputs | sha256sum)
if [ "$(cat "$made" 2>/dev/null)" = "$inputs"$'\n'"$(images)" ]; then exit 0; fi
say "building the images (log: .cache/build.log)."
if ! docker compose --profile setup build --progress plain >.cache/build.log 2>&1; then
    if grep -qi 'no space left on device' .cache/build.log; then
        die "the disk is full: the images need about 2 GB; 'docker system df' shows what could go. What ran before is still running."
    fi
    grep -E 'ERROR|error:' .cache/build.log | tail -3 >&2
    die "building the images failed; the whole story is in .cache/build.log. What ran before is still running."
fi
{ echo "$inputs" && images; } >"$made"
