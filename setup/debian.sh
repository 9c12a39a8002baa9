#!/usr/bin/env bash
# Installs the Debian packages named as arguments, and only those that are missing.
#
# It asks nothing, and does nothing at all (no network, no sudo) where everything is there.
# A name may be written `package:command`: then a command of that name, from wherever it
# came, counts as the package being there.
set -euo pipefail

missing=()
for wanted in "$@"; do
    package=${wanted%%:*}
    command=${wanted#"$package"}
    command=${command#:}
    if [ -n "$command" ] && command -v "$command" >/dev/null; then continue; fi
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    if [ "$state" != installed ]; then missing+=("$package"); fi
done
[ ${#missing[@]} -gt 0 ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "These are needed and this machine has no apt-get to get them with: ${missing[*]}" >&2
    exit 1
fi

as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo)

# Debian starts a database cluster of its own when PostgreSQL is installed. The tests bring
# their own and take it away again, so where PostgreSQL comes because of us, none is made.
if [[ " ${missing[*]} " == *" postgresql-15 "* ]]; then
    "${as_root[@]}" mkdir -p /etc/postgresql-common/createcluster.d
    echo 'create_main_cluster = false' |
        "${as_root[@]}" tee /etc/postgresql-common/createcluster.d/gridatlas.conf >/dev/null
fi

echo "Installing: ${missing[*]}" >&2
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { "${apt[@]}" update && "${apt[@]}" install --yes --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    cat "$log" >&2
    exit 1
fi
