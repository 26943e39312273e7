#!/usr/bin/env bash
# What `make up` ends with.
set -euo pipefail
cd "$(dirname "$0")/.."
. docker/lib.sh

https=$(setting HTTPS_PORT) host=$(setting SERVER_NAMES)
url=https://${host%%,*}:$https
printf '\n  %-11s %s/   (http://%s:%s/ redirects)\n' Site "$url" "${host%%,*}" "$(setting HTTP_PORT)"
if [ -n "${SITE:-}" ]; then
    # shellcheck disable=SC2016
    printf '  %-11s make manage C=createsuperuser SITE=%s\n' 'First user' "$SITE"
else
    printf '  %-11s %s\n' Chat "$url/chat/lobby/" Gallery "$url/gallery/" Changes "$url/notifications/" \
        Admin "$url/admin/" Login 'demo / demo (admin) or guest / guest'
fi
printf '  %-11s %s\n\n' Release "$TANDEM_RELEASE"
echo "  The certificate is self-signed: your browser asks once.  'make' lists what else there is."
