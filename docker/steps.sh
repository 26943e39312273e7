# shellcheck shell=bash
# How `make up` takes a step, for scripts that have sourced lib.sh.

still="What ran before is still running."
log=.cache/up.log

try() { # SENTENCE COMMAND...: when it fails, show its last lines and end with the sentence
    local sentence=$1
    shift
    if ! "$@" >"$log" 2>&1; then
        grep -vE '^ (Container|Network|Volume) |^ *$' "$log" | tail -"${LINES_SHOWN:-8}" >&2 || true
        if grep -qi 'no space left on device' "$log"; then sentence="the disk is full; 'docker system df' shows what could go. $still"; fi
        die "$sentence"
    fi
}
once() { docker compose run --rm --no-deps -T "$@"; }
