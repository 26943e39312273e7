#!/usr/bin/env bash
# `make release`: the archives that servers install, one for each Debian release named in
# DEBIAN (trixie bookworm; of an adopted site trixie, because Django 6 needs its Python), into
# dist/; dist/release names what was built last.
set -euo pipefail
cd "$(dirname "$0")/.."
. docker/lib.sh

docker/engine.sh
[ -z "${SITE:-}" ] || docker/venv.sh
. docker/build-secrets.sh
dist=dist release=${RELEASE:-}
[ -z "${SITE:-}" ] || DEBIAN=${DEBIAN:-trixie}
mkdir -p .cache
build() { # DEBIAN
    local log=.cache/release-$1.log
    say "building release $release for $1 (log: $log)."
    docker buildx build --progress plain --target release --file "${SITE_CONTEXT:-.}/docker/Dockerfile" \
        --build-arg DEBIAN_RELEASE="$1" --build-arg TANDEM_RELEASE="$release" \
        --build-arg SITE_WHEELS="${SITE_WHEELS:-download}" --build-arg SITE_CACHE="${SITE_CACHE:-own}" --build-arg SITE_SYSTEM_PACKAGES="${SITE_SYSTEM_PACKAGES:-}" \
        --build-arg SITE_BUILD_PACKAGES="${SITE_BUILD_PACKAGES:-}" \
        --secret "id=ca-bundle,src=${TANDEM_CA_BUNDLE:-/dev/null}" --secret "id=pip-conf,src=${TANDEM_PIP_CONF:-/dev/null}" \
        --output "$dist" "${SITE_CONTEXT:-.}" >"$log" 2>&1 ||
        { grep -E 'ERROR|error:' "$log" | tail -3 >&2; die "building the release failed; the whole story is in $log."; }
    echo "$dist/tandem-$release-$1.tar.gz"
}
builds=()
for debian in ${DEBIAN:-trixie bookworm}; do
    case $debian in trixie | bookworm) ;; *) die "DEBIAN must name trixie (13) or bookworm (12), got '$debian'." ;; esac
    docker/base-image.sh "debian:$debian-slim"
    if [ -n "${SITE:-}" ]; then
        settings=$(.venv/bin/python docker/site.py "$SITE" "$debian") # apart from eval: its failure must end this
        eval "$settings"
        dist=$SITE_DIST
    fi
    # One name for all: the packages of an adopted site may differ between them.
    release=${release:-${TANDEM_RELEASE:-$(docker/release-name.sh)}}
    mkdir -p "$dist"
    # The folder that an adopted site is built from is made anew for each Debian.
    if [ -n "${SITE:-}" ]; then build "$debian"; else build "$debian" & builds+=($!); fi
done
failed=0
for one in "${builds[@]}"; do wait "$one" || failed=1; done
[ "$failed" = 0 ] || exit 1
echo "$release" >"$dist/release"
