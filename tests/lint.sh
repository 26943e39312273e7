#!/usr/bin/env bash
# Everything that can be judged without running it.
set -euo pipefail
cd "$(dirname "$0")/.."
. docker/lib.sh
export PATH=$PWD/.venv/bin:$PATH

ruff check --quiet . || die "ruff found the above; 'ruff check --fix' mends what it can."
ruff format --check --quiet . || die "files are not formatted; run '.venv/bin/ruff format .'"
DJANGO_DEBUG=on mypy --no-error-summary || die "mypy found the above."
find app ansible deploy docker tests -name '*.sh' -print0 | xargs -0 shellcheck --external-sources .ci/run || die "shellcheck found the above."
hadolint --config tests/hadolint.yaml docker/Dockerfile || die "hadolint found the above."
tests/lint-nginx.sh
(cd ansible && ansible-lint --offline -qq --nocolor --profile production 2>/dev/null) || die "ansible-lint found the above."
python docs/generate.py --check
# A fact has one home.
homes=$(git grep -lE '\b86400s?\b' -- deploy app tandem compose.yaml .env | grep -v 'timeouts.env\|routes.yml' | sort)
[ "$homes" = deploy/nginx/snippets/websocket.conf ] || die "the 86400 s timeout must be written in deploy/nginx/snippets/websocket.conf only, found: $homes"
if git grep -nIE '(pypi|pythonhosted|docker\.io/|deb\.debian\.org|registry\.npmjs)' -- ':!tests/lint.sh' | grep -v 'docker\.io '; then
    die "the lines above name a package registry's host; derive it from the machine instead."
fi
echo "lint: clean"
