# Looks into every page on a leader: indexes against their tables while it runs, checksums when it is stopped. SOCKET and KEEP are given.
mark amcheck
if [ -x "$PG_BIN/pg_amcheck" ] && [ "$(sql postgres "SELECT count(*) FROM pg_available_extensions WHERE name = 'amcheck'")" = 1 ]; then
  # Citus lets a worker make no extension that it would hand out.
  said=$(sql postgres 'SELECT datname FROM pg_database WHERE datallowconn' | while read -r db; do
    sql "$db" 'SET citus.enable_ddl_propagation = off; CREATE EXTENSION IF NOT EXISTS amcheck WITH SCHEMA pg_catalog' 2>&1 | grep ERROR
  done
  as_dbsu "$PG_BIN/pg_amcheck" -h "$SOCKET" -p "$PG_PORT" --all --jobs=2 2>&1)
  ended=$?
  printf '%s\n' "$said" | tail -n 20
  mark "amcheck-ended $ended"
fi
mark checksums
systemctl stop patroni.service
! pg_control status >/dev/null 2>&1 || pg_control -m fast -t 120 stop >/dev/null
as_dbsu "$PG_BIN/pg_checksums" --check -D "$PG_DATA" 2>&1
mark "checksums-ended $?"
[ -z "$KEEP" ] || systemctl start patroni.service
mark end
