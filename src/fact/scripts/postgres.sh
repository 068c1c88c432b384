# One PostgreSQL in its own words. Needs `mark`, `pg_ask` and `pg_identify`, which take more arguments of psql, and PG_QUERY.
# Fields are divided by a character that neither JSON nor a path needs.
pg_tab=$(printf '\t')
pg_said=$(pg_ask -F "$pg_tab" -c "$PG_QUERY" 2>&1); pg_rc=$?
mark postgres said $pg_rc; printf '%s\n' "$pg_said" | cut -f 1
if [ "$pg_rc" = 0 ]; then
  pg_line=$(pg_identify -F "$pg_tab" 2>&1); pg_rc=$?
  mark postgres timeline $pg_rc; printf '%s\n' "$pg_line" | cut -f 2
  pg_dir=$(printf '%s\n' "$pg_said" | cut -f 3) pg_log=$(printf '%s\n' "$pg_said" | cut -f 2)
  pg_own=$(printf '%s\n' "$pg_line" | cut -f 2)
  case $pg_own in
  '' | *[!0-9]*) ;;
  *) mark postgres history; cat "$pg_dir/pg_wal/$(printf '%08X' "$pg_own").history" 2>/dev/null ;;
  esac
  if [ -n "$pg_log" ]; then mark postgres log; tail -c 65536 -- "$pg_log" 2>/dev/null | grep -aE 'FATAL|PANIC|ERROR' | tail -n 1 |
    sed -E -e 's/^.*,(FATAL|PANIC|ERROR),[0-9A-Z]{5},"(([^"]|"")*)("?.*)$/\1: \2/' -e 's/""/"/g'; fi
fi
