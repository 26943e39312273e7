#!/usr/bin/env bash
# Print the name of the release that the checkout makes: the commit, and for a changed
# checkout a hash of the changes, so that two different releases never share a name.
set -euo pipefail
cd "$(dirname "$0")/.."

commit=$(git rev-parse --short=8 HEAD 2>/dev/null) || { echo dev; exit; }
what=(app tandem deploy requirements.lock)
if [ -z "$(git status --porcelain -- "${what[@]}")" ]; then
    echo "$commit"
else
    changes=$({ git diff HEAD -- "${what[@]}"; git ls-files -z --others --exclude-standard -- "${what[@]}" | xargs -0r sha256sum; } | sha256sum)
    echo "$commit-${changes:0:8}"
fi
