#!/usr/bin/env bash
# Everything that can be judged without running it, at the same time; each complaint has a name.
set -euo pipefail
cd "$(dirname "$0")/.."
. docker/lib.sh
export PATH=$PWD/.venv/bin:$PATH DJANGO_DEBUG=on

registries() { # no machine but this one has the same
    ! git grep -nIE '(pypi|pythonhosted|docker\.io/|deb\.debian\.org|registry\.npmjs)' -- ':!tests/lint.sh' | grep -v 'docker\.io ' ||
        die "the lines above name a package registry's host; derive it from the machine instead."
}
scripts() { find app ansible deploy docker tests -name '*.sh' -print0 | xargs -0 shellcheck --external-sources .ci/run; }
roles() { cd ansible && ansible-lint --offline -qq --nocolor --profile production 2>/dev/null; }

# The longest first.
declare -A commands=(
    [ansible-lint]="roles" [mypy]="mypy --no-error-summary" [shellcheck]="scripts" [gixy]="tests/lint-nginx.sh"
    [docs]="python docs/generate.py --check" [links]="python -m tests.links" [ruff]="ruff check --quiet ." [registries]="registries"
    [ruff format]="ruff format --check --quiet ." [hadolint]="hadolint --config tests/hadolint.yaml docker/Dockerfile"
    [rooms]="tests/lint-rooms.sh"
)
declare -A cures=([ruff]="; 'ruff check --fix' mends what it can" [ruff format]="; '.venv/bin/ruff format .' mends it")
order=(ansible-lint mypy shellcheck gixy docs links ruff "ruff format" rooms hadolint registries)
said=$(mktemp -d)
trap 'rm -rf "$said"' EXIT
declare -A running
TIMEFORMAT=%R
for name in "${order[@]}"; do
    { time ${commands[$name]} >"$said/$name" 2>&1; } 2>"$said/$name.seconds" &
    running[$name]=$!
done
bad=0
for name in "${order[@]}"; do
    if ! wait "${running[$name]}"; then
        printf '\n%s:\n' "$name" >&2
        cat "$said/$name" >&2
        say "$name found the above${cures[$name]-}."
        bad=1
    fi
    [ -z "${TIMES-}" ] || printf '%-13s %6s s\n' "$name" "$(cat "$said/$name.seconds")"
done
[ "$bad" = 0 ] && echo "lint: clean"
