#!/usr/bin/env bash
# Which part of tandem/ may import which: the contracts in pyproject.toml (docs/architecture.md).
set -euo pipefail
cd "$(dirname "$0")/.."
PYTHONPATH=app exec lint-imports --no-cache
