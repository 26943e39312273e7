#!/usr/bin/env bash
# What `make up` ends with.
set -euo pipefail
cd "$(dirname "$0")/.."
. docker/lib.sh
. docker/addresses.sh

url=https://$name:$https_port
printf '\n  %-11s %s/   (http://%s:%s/ redirects)\n' Site "$url" "$name" "$http_port"
if [ -n "${SITE:-}" ]; then
    # shellcheck disable=SC2016
    printf '  %-11s make manage C=createsuperuser SITE=%s\n' 'First user' "$SITE"
else
    printf '  %-11s %s\n' "${pages[@]/#\//$url/}" Login 'demo / demo (admin) or guest / guest'
fi
printf '  %-11s %s\n\n' Release "$TANDEM_RELEASE"
echo "  The certificate is self-signed: your browser asks once.  'make' lists what else there is."
