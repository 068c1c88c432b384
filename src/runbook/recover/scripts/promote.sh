# Promotes PostgreSQL by hand. SYSTEM is what was seen and approved; PLACE is the member's place in its group.
is="$(sql postgres "SELECT pg_is_in_recovery(), system_identifier, current_setting('synchronous_standby_names'), current_setting('archive_mode') FROM pg_control_system()")"
recovery=${is%%|*} rest=${is#*|}
[ "${rest%%|*}" = "$SYSTEM" ] || refuse "the data here is of another cluster now (system identifier ${rest%%|*})"
rest=${rest#*|} archive=${rest##*|}
[ -z "${rest%|*}" ] || {
  sql postgres "ALTER SYSTEM SET synchronous_standby_names = ''"
  sql postgres 'SELECT pg_reload_conf()' >/dev/null
}
# Members that come back ask for this slot before their Patroni starts or promotes: it needs no etcd.
sql postgres "SELECT pg_create_physical_replication_slot('citusctl_emergency') WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = 'citusctl_emergency')" >/dev/null
[ "$recovery" = t ] || exit 0
# PostgreSQL takes the first number that has no history: with these in the way it is one that no other member comes to by counting on.
now=$(as_dbsu "$PG_BIN/psql" -XAtq -v ON_ERROR_STOP=1 "host=$PG_SOCKET port=$PG_PORT user=$PG_USER dbname=postgres replication=true" -c IDENTIFY_SYSTEM | cut -d'|' -f2)
[ "$now" -gt 0 ]
reserve() { # COMMAND: for each number, with $f
  as_dbsu sh -c 'cd "$1/pg_wal" && n=$2 && while [ $n -lt $3 ]; do n=$((n + 1)); f=$(printf %08X.history $n); '"$1"'; done' reserve "$PG_DATA" "$now" $((now + 16 * (PLACE + 1)))
}
reserve '[ -e $f ] || echo "# no timeline: its number was passed over by a promotion by hand" >$f'
[ "$archive" = off ] || reserve ': >archive_status/$f.ready'
if [ "$(sql postgres 'SELECT pg_promote(true, 60)')" != t ] && [ "$(sql postgres 'SELECT pg_is_in_recovery()')" = t ]; then
  # A standby that starts with them would look for a timeline that is not there.
  reserve 'grep -q "^# no timeline" $f 2>/dev/null && rm -f $f archive_status/$f.ready; :'
  echo 'PostgreSQL was not promoted within 60 s'
  exit 1
fi
