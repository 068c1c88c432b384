# A file takes all the room, and messages of 8 MB use up the segments that are there already.
log=$(as_dbsu readlink -f "$PG_DATA/pg_wal")
as_dbsu dd if=/dev/zero of="$log/drill-full" bs=1M 2>/dev/null || :
n=0
while sql postgres "SELECT pg_logical_emit_message(false, 'drill', repeat('x', 8000000))" >/dev/null 2>&1; do
  n=$((n + 1))
  [ $n -lt 400 ] || { echo 'PostgreSQL still finds room for its log' >&2; exit 1; }
done
