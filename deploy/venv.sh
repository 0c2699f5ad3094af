#!/usr/bin/env bash
# Creates .venv if there is none. Debian packages venv apart from Python: as root this installs it, else it says how.
set -euo pipefail

python="${PYTHON:-python3}"

if [ -x .venv/bin/python ] && .venv/bin/python -m pip --version >/dev/null 2>&1; then
    exit 0
fi
if ! command -v "$python" >/dev/null; then
    echo "setup: there is no $python: install Python 3.11 or newer, or say where it is: make setup PYTHON=/path" >&2
    exit 1
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    version="$("$python" --version 2>&1)"
    echo "setup: $python is $version, 3.11 or newer is needed: make setup PYTHON=python3.11" >&2
    exit 1
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get install -y -q python3-venv >/dev/null || { apt-get update -q && apt-get install -y -q python3-venv; } >/dev/null
    else
        echo "setup: $python cannot make environments: apt-get install python3-venv (as root), then make setup" >&2
        exit 1
    fi
fi
rm -rf .venv
"$python" -m venv .venv
