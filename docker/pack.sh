#!/usr/bin/env bash
# Inside the build: make the release archive of FOLDER: pack.sh FOLDER RELEASE
# The same input gives the same bytes: no times, no owners, sorted names.
set -euo pipefail

cd "$1"
release=$2
. /etc/os-release
find . -name __pycache__ -prune -exec rm -rf {} +
python3 - "$release" "$VERSION_CODENAME" "$(dpkg --print-architecture)" >manifest.json <<'PYTHON'
import json, pathlib, sys
release, codename, architecture = sys.argv[1:]
wheels = sorted(w.name.split("-")[:2] for w in pathlib.Path("wheels").glob("*.whl"))
print(json.dumps({
    "release": release,
    "debian": codename,
    "architecture": architecture,
    "python": ".".join(map(str, sys.version_info[:2])),
    # Each with what the release before could not live with.
    "migrations": json.loads(pathlib.Path("/build/migrations.json").read_text()),
    "packages": {name.lower().replace("_", "-"): version for name, version in wheels},
}, indent=2))
PYTHON
chmod -R u=rwX,go=rX .
chmod 755 deploy/run.sh
mkdir -p /out
find . -type f -print0 | sort -z | xargs -0 sha256sum >/build/SHA256SUMS
mv /build/SHA256SUMS .
tar --create --gzip --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner \
    --file "/out/tandem-$release-$VERSION_CODENAME.tar.gz" .
