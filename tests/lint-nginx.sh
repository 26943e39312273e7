#!/usr/bin/env bash
# gixy (security linter for nginx) on the whole configuration, generated files included.
set -euo pipefail
cd "$(dirname "$0")/.."
. docker/lib.sh

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree/generated"
set -a && . ./.env && set +a
TANDEM_RELEASE=lint python -m tandem.ops.nginx.generate tests/routes.yml "$tree/generated"
head -c 32 /dev/urandom | base64 >"$tree/key"
python -m tandem.ops.routes.force "$tree/key" "$tree/generated/force.conf" >"$tree/report"
cp -r deploy/nginx "$tree/static"
find "$tree" -name '*.conf' -exec sed -i \
    -e "s#/etc/nginx/tandem/#$tree/static/#; s#/etc/tandem/nginx/#$tree/generated/#" \
    -e '/modules-enabled/d' {} +
# missing_resolver: no name is ever looked up, each variable in a proxy_pass is one of the upstreams.
gixy --skips missing_resolver "$tree/static/nginx.conf" >"$tree/report" 2>&1 || { cat "$tree/report" >&2; die "gixy found the above."; }
