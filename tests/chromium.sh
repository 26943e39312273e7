#!/usr/bin/env bash
# Make sure that a Chromium is there for the browser tests; print its path.
set -euo pipefail
cd "$(dirname "$0")/.."
. docker/lib.sh

find_it() { command -v chromium || command -v chromium-browser || command -v google-chrome; }
if ! find_it >/dev/null; then
    [ "$(id -u)" = 0 ] && [ -x /usr/bin/apt-get ] ||
        die "the browser tests need Chromium; on Debian: sudo apt-get install chromium"
    say "installing Chromium for the browser tests."
    docker/apt.sh chromium fonts-dejavu-core || die "installing Chromium failed; the reason is above."
fi
find_it
