#!/usr/bin/env bash
# Make sure that the base image NAME (say debian:trixie-slim) is there: already
# local, pulled from a registry, or, where none answers, built from the Debian
# mirror that this machine's apt uses.
# Usage: docker/base-image.sh debian:trixie-slim
set -euo pipefail

image=$1
suite=${image#debian:}
suite=${suite%-slim}
PULL_SECONDS=60 # a registry that cannot be reached may hang instead of refusing

cd "$(dirname "$0")/.."
. docker/lib.sh

docker image inspect "$image" >/dev/null 2>&1 && exit 0
say "fetching the base image $image."
timeout "$PULL_SECONDS" docker pull --quiet "$image" >/dev/null 2>&1 && exit 0

command -v apt-get >/dev/null ||
    die "the image $image cannot be pulled and this is not a Debian that could build it; give this machine access to an image registry, or 'docker load' $image."
if ! command -v mmdebstrap >/dev/null; then
    [ "$(id -u)" = 0 ] || die "the image $image cannot be pulled; install mmdebstrap ('sudo apt-get install mmdebstrap') so that it can be built from this machine's Debian mirror."
    say "no image registry answers: installing mmdebstrap to build $image from this machine's Debian mirror."
    docker/apt.sh mmdebstrap || die "mmdebstrap could not be installed; the reason is above."
fi
mirror=$(docker/debian-mirror.sh)
say "building $image from Debian's $suite packages."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The slim images leave documentation out, as does this.
mmdebstrap --quiet --variant=minbase --include=ca-certificates \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    "$suite" "$work/root.tar" \
    "deb $mirror $suite main" "deb $mirror $suite-updates main" \
    "deb ${mirror%/debian/}/debian-security $suite-security main" 2>"$work/log" ||
    die "building $image failed: $(tail -1 "$work/log")"
docker import --change 'CMD ["bash"]' "$work/root.tar" "$image" >/dev/null
