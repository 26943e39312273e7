#!/usr/bin/env bash
# Build the images, quietly; the log is in .cache/build.log.
set -euo pipefail
cd "$(dirname "$0")/.."
. docker/lib.sh

docker/base-image.sh "debian:$(setting DEBIAN_RELEASE)-slim"
mkdir -p .cache

. docker/build-secrets.sh

say "building the images (log: .cache/build.log)."
if ! docker compose --profile setup build --progress plain >.cache/build.log 2>&1; then
    if grep -qi 'no space left on device' .cache/build.log; then
        die "the disk is full: the images need about 2 GB; 'docker system df' shows what could go. What ran before is still running."
    fi
    grep -E 'ERROR|error:' .cache/build.log | tail -3 >&2
    die "building the images failed; the whole story is in .cache/build.log. What ran before is still running."
fi
