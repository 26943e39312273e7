#!/usr/bin/env bash
# Inside the build: put what /build/requirements.lock names into /build/wheels: wheels.sh download|wheel
set -euo pipefail

pip='/srv/tandem/releases/replica/venv/bin/pip --quiet --disable-pip-version-check'
# The optional secrets let the download pass a company's TLS proxy and its package index.
if [ -s /run/secrets/ca-bundle.pem ]; then export PIP_CERT=/run/secrets/ca-bundle.pem; fi
cd /build
case $1 in
download) $pip download --require-hashes --no-deps --only-binary :all: -r requirements.lock --dest wheels ;;
wheel) # of an adopted site: also builds what has no wheel, and locks what it has built
    $pip wheel --require-hashes --no-deps -r requirements.lock --wheel-dir wheels
    for wheel in wheels/*.whl; do
        IFS=- read -r name version _ <<<"${wheel##*/}"
        echo "$name==$version --hash=sha256:$(sha256sum "$wheel" | cut -d' ' -f1)"
    done >requirements.lock
    ;;
esac
$pip install --require-hashes --no-deps --no-index --find-links wheels -r requirements.lock
