#!/usr/bin/env bash
# Inside the build: install uv, then lock what a site asks for: compile.sh install|compile
set -euo pipefail

# The optional secrets let the download pass a company's TLS proxy and its package index.
UV_SYSTEM_CERTS=false
if [ -s /run/secrets/ca-bundle.pem ]; then
    export PIP_CERT=/run/secrets/ca-bundle.pem
    UV_SYSTEM_CERTS=true
fi
export UV_SYSTEM_CERTS
case $1 in
install) /opt/resolver/bin/pip install --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary :all: -r /build/uv.lock ;;
compile) # what does not go together is no failure of the build: said tells it
    mkdir /out
    mapfile -d '' files <files
    cd app # ./lib is relative to where pip is called
    /opt/resolver/bin/python /build/uv.py pip compile --quiet --no-cache --python /usr/bin/python3 --generate-hashes \
        --no-header --no-annotate --overrides ../overrides.in ../named.in "${files[@]}" >/out/locked 2>/out/said || : >/out/locked
    ;;
esac
