#!/usr/bin/env bash
# `make load`: two workers behind a real nginx on the sandbox. Everything is started for it, on free ports and in a
# directory of its own, and stopped after it.
set -euo pipefail
cd "$(dirname "$0")/.."

exec .venv/bin/python -m deploy.load "$@"
