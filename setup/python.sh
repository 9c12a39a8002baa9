#!/usr/bin/env bash
# Makes a Python environment at $1 with the packages that the requirements file $2 names.
set -euo pipefail

python3 -c 'import ensurepip' 2>/dev/null || "$(dirname "$0")/debian.sh" python3-venv
[ -x "$1/bin/python" ] || python3 -m venv "$1"
"$1/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$2"
