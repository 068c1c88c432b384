# Counts the rows of all tables that this host keeps itself, and on leaders of distributed ones through Citus. UNTIL is given on
# standbys: they have to be as far as the leader first. What tables are named does not matter to anybody here: the lab is for this.
counted() { # KIND DATABASE QUERY
  if said=$(sql "$2" "$3" 2>&1); then mark "$1 $2"; else mark "failed $1 of $2"; fi
  printf '%s\n' "$said"
}
mark recovery
sql postgres 'SELECT pg_is_in_recovery()'
if [ -n "$UNTIL" ]; then
  tries=0
  until [ "$(sql postgres "SELECT pg_last_wal_replay_lsn() >= '$UNTIL'::pg_lsn")" = t ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 300 ] || break
    sleep 0.2
  done
  mark behind
  sql postgres "SELECT pg_last_wal_replay_lsn() < '$UNTIL'::pg_lsn"
fi
count="(xpath('/table/row/c/text()', query_to_xml(format('SELECT count(*) AS c FROM %s %I.%I', %KIND%, n.nspname, c.relname), false, false, '')))[1]::text::bigint"
sql postgres 'SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY datname' | while read -r db; do
  citus=$(sql "$db" "SELECT to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL")
  own="n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_toast' AND c.relkind IN ('r', 'm') AND c.relpersistence = 'p'"
  show=
  if [ "$citus" = t ]; then
    own="$own AND c.oid NOT IN (SELECT logicalrelid FROM pg_dist_partition)"
    # Shards are hidden from those who ask for tables.
    show='SET citus.override_table_visibility = off;'
  fi
  counted rows "$db" "$show SELECT json_object_agg(n.nspname || '.' || c.relname, $(printf '%s' "$count" | sed "s/%KIND%/'ONLY'/")) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE $own"
  if [ "$citus" = t ] && [ -z "$UNTIL" ]; then
    counted distributed "$db" "SELECT json_object_agg(n.nspname || '.' || c.relname, $(printf '%s' "$count" | sed "s/%KIND%/''/")) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid IN (SELECT logicalrelid FROM pg_dist_partition)"
    if [ "$(sql "$db" "SELECT to_regprocedure('pg_catalog.run_command_on_shards(regclass, text, boolean)') IS NOT NULL")" = t ]; then
      counted shards "$db" "SELECT json_object_agg(n.nspname || '.' || c.relname, (SELECT sum(s.result::bigint) FROM run_command_on_shards(p.logicalrelid, 'SELECT count(*) FROM %s') s WHERE s.success)) FROM pg_dist_partition p JOIN pg_class c ON c.oid = p.logicalrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE p.partmethod = 'h'"
    fi
  fi
done
mark end
