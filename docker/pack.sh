#!/usr/bin/env bash
# Inside the build: make the release archive of FOLDER: pack.sh FOLDER RELEASE
# The same input gives the same bytes: no times, no owners, sorted names.
set -euo pipefail

cd "$1"
release=$2
. /etc/os-release
# The release is unpacked under another name: its commands find their Python beside
# themselves, and what names this place is made anew (ansible/roles/release).
for command in venv/bin/*; do
    if head -c 2 "$command" | grep -q '#!' && head -1 "$command" | grep -q /venv/bin/python; then
        sed -i "1c #!/bin/sh\n'''exec' \"\$(dirname \"\$(realpath \"\$0\")\")/python3\" \"\$0\" \"\$@\"\n' '''" "$command"
    fi
done
rm -f venv/bin/python* venv/bin/[Aa]ctivate* venv/lib64 venv/pyvenv.cfg
python3 /build/links.py .
python3 - "$release" "$VERSION_CODENAME" "$(dpkg --print-architecture)" >manifest.json <<'PYTHON'
import json, pathlib, sys
release, codename, architecture = sys.argv[1:]
installed = (p.name.removesuffix(".dist-info").rsplit("-", 1) for p in pathlib.Path("venv").rglob("*.dist-info"))
print(json.dumps({
    "release": release,
    "layout": 2,  # of the archive: with a virtual environment; at first it had wheels
    "debian": codename,
    "architecture": architecture,
    "python": ".".join(map(str, sys.version_info[:2])),
    # Each with what the release before could not live with.
    "migrations": json.loads(pathlib.Path("/build/migrations.json").read_text()),
    "packages": {name.lower().replace("_", "-"): version for name, version in sorted(installed)},
}, indent=2))
PYTHON
chmod -R u=rwX,go=rX .
chmod 755 deploy/run.sh
mkdir -p /out
find . -type f -print0 | sort -z | xargs -0 sha256sum >/build/SHA256SUMS
mv /build/SHA256SUMS .
tar --create --gzip --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner \
    --file "/out/tandem-$release-$VERSION_CODENAME.tar.gz" .
