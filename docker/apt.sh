#!/usr/bin/env bash
# Install packages on this Debian, as root: apt.sh [OPTION…] [PACKAGE…]; without one: only its lists.
# apt itself gives up when another program installs something; this waits for it.
set -euo pipefail
cd "$(dirname "$0")/.."

TRIES=150 PAUSE=2 # five minutes
say() { echo "tandem: $*" >&2; }

run() { # COMMAND…: once nobody else holds apt's locks
    local said busy='' status
    for _ in $(seq "$TRIES"); do
        status=0
        # What a package starts may stay, and must not hold the lock.
        said=$(DEBIAN_FRONTEND=noninteractive "$@" 2>&1 9>&-) || status=$?
        [ "$status" != 0 ] || return 0
        grep -q 'Could not get lock' <<<"$said" || break
        [ -n "$busy" ] || say "waiting for another program that installs packages$(sed -n 's/.*\(It is held by process .*\)/ (\1)/p' <<<"$said" | head -1)."
        busy=yes
        sleep "$PAUSE"
    done
    tail -3 <<<"$said" >&2
    return "$status"
}

# One of ours at a time: neither may find the other's locks between two commands of its own.
exec 9>/run/tandem-apt.lock
flock 9
run apt-get update -qq
[ $# = 0 ] || run apt-get install -y -qq --no-install-recommends "$@"
