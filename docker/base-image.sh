#!/usr/bin/env bash
# Build a base image from the Debian mirror that this machine's apt uses: base-image.sh debian:trixie-slim
# For where no registry answers: tandem/ops/checkout/images.py.
set -euo pipefail
cd "$(dirname "$0")/.."
. docker/lib.sh

image=$1 suite=${1#debian:} suite=${suite%-slim}
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
