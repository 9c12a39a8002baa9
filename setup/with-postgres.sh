#!/usr/bin/env bash
# Runs a command beside a PostgreSQL cluster of its own, which ends with the command.
#
#     setup/with-postgres.sh cargo test
#
# The command finds the cluster in GRIDATLAS_TEST_POSTGRES, the URL of a superuser on an
# empty database; each test makes a database of its own from there. Where that is set
# already, the command uses what it names and nothing is started.
set -euo pipefail

if [ -n "${GRIDATLAS_TEST_POSTGRES:-}" ]; then exec "$@"; fi

programs=/usr/lib/postgresql/15/bin
[ -x "$programs/initdb" ] || programs=$(dirname "$(readlink -f "$(command -v initdb)")")

# PostgreSQL refuses to run as root; its own user can't read a clone under /root. So the
# cluster lies in the temporary folder, and root hands it to that user.
place=$(mktemp -d "${TMPDIR:-/tmp}/gridatlas-postgres.XXXXXX")
as_owner=()
if [ "$(id -u)" = 0 ]; then
    chown postgres: "$place"
    as_owner=(setpriv --reuid=postgres --regid=postgres --init-groups env "HOME=$place")
fi

stop() {
    (cd / && "${as_owner[@]}" "$programs/pg_ctl" -D "$place/data" -m immediate -w stop) >/dev/null 2>&1 || true
    rm -rf "$place"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Nothing here outlives the command, so durability is switched off; locale C keeps the
# order of codes the same on every machine.
(
    cd /
    "${as_owner[@]}" "$programs/initdb" -D "$place/data" --username=postgres --auth=trust \
        --encoding=UTF8 --locale=C.UTF-8 --no-sync
) >"$place/initdb.log" 2>&1 || { cat "$place/initdb.log" >&2; exit 3; }

started=
for _ in 1 2 3 4 5 6 7 8; do
    port=$((20000 + RANDOM % 12000))
    if (
        cd /
        "${as_owner[@]}" "$programs/pg_ctl" -D "$place/data" -l "$place/server.log" -w -t 60 start -o "\
            -p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$place \
            -c fsync=off -c synchronous_commit=off -c full_page_writes=off \
            -c max_connections=200 -c shared_buffers=256MB"
    ) >/dev/null 2>&1; then
        started=$port
        break
    fi
done
[ -n "$started" ] || { cat "$place/server.log" >&2; exit 3; }

export GRIDATLAS_TEST_POSTGRES="postgres://postgres@127.0.0.1:$started/postgres"
"$@"
