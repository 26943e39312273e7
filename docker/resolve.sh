#!/usr/bin/env bash
# Lock the packages of a site that docker/site.py has laid out, in a build of the target's
# Debian: resolve.sh CONTEXT DEBIAN "DEBIAN-PACKAGES" OUT writes OUT/locked, empty where OUT/said
# tells why not.
set -euo pipefail
cd "$(dirname "$0")/.."
. docker/lib.sh

context=$1 debian=$2 packages=$3 out=$4 log=.cache/resolve.log
mkdir -p .cache
{ docker/engine.sh && docker/base-image.sh "debian:$debian-slim"; } >&2
. docker/build-secrets.sh
# Not from the build cache: a failure of the network must not stay.
docker buildx build --progress plain --target resolved --no-cache-filter resolve --file "$context/docker/Dockerfile" \
    --build-arg DEBIAN_RELEASE="$debian" --build-arg SITE_BUILD_PACKAGES="$packages" \
    --secret "id=ca-bundle,src=${TANDEM_CA_BUNDLE:-/dev/null}" --secret "id=pip-conf,src=${TANDEM_PIP_CONF:-/dev/null}" \
    --output "$out" "$context" >"$log" 2>&1 ||
    { grep -E 'ERROR|error:' "$log" | tail -3 >&2; die "the build that resolves packages failed; the whole story is in $log."; }
