#!/usr/bin/env bash
# `make load`: two workers behind a real nginx on the sandbox. It starts everything it needs, on free ports and in a
# directory of its own, and stops it afterwards.
set -euo pipefail
cd "$(dirname "$0")/.."

exec .venv/bin/python -m deploy.load "$@"
