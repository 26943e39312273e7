#!/usr/bin/env bash
# Inside the build: install what /build/requirements.lock names: wheels.sh VENV download|wheel
set -euo pipefail

venv=$1
# The optional secrets let the download pass a company's TLS proxy and its package index.
if [ -s /run/secrets/ca-bundle.pem ]; then export PIP_CERT=/run/secrets/ca-bundle.pem; fi
binary=(--only-binary :all:)
[ "$2" != wheel ] || binary=() # an adopted site may need what has no wheel
# Not quietly: the log of the build names the package that fails.
"$venv/bin/pip" --disable-pip-version-check install --require-hashes --no-deps --no-compile --progress-bar off \
    "${binary[@]}" --requirement /build/requirements.lock
# Whoever has the release installs nothing into it.
"$venv/bin/pip" --quiet --disable-pip-version-check uninstall --yes pip setuptools 2>/dev/null
# As old as the archive makes them: so their bytecode is that of the files that are unpacked.
find "$venv" -exec touch --no-dereference --date=@0 {} +
# A package may bring files for other versions of Python, which this one cannot compile.
python3 -m compileall -qq -j0 "$venv" || true
