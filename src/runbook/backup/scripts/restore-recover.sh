# Recovers where nobody can connect, proves where it stopped, and stops again. LSN, POINT and STATE are given.
setting() { LC_ALL=C "$PG_BIN/pg_controldata" -D "$PG_DATA" | sed -n "s/^$1 setting: *//p"; }
state() { LC_ALL=C "$PG_BIN/pg_controldata" -D "$PG_DATA" | sed -n 's/^Database cluster state: *//p'; }
socket=/run/citusctl-restore log=/run/citusctl-restore/postgres.log
install -d -m 0700 -o "$PG_USER" -g "$PG_USER" "$socket"
as_dbsu rm -f "$log"
if pg_control status >/dev/null 2>&1; then pg_control -m fast -t 300 stop >/dev/null; fi
if [ "$(state)" != 'shut down' ] || [ -e "$PG_DATA/recovery.signal" ]; then
  options="-c listen_addresses= -c unix_socket_directories=$socket -c hot_standby=off -c archive_command= -c wal_level=$(setting wal_level)"
  for name in max_connections max_worker_processes max_wal_senders max_prepared_xacts max_locks_per_xact; do
    options="$options -c $(echo "$name" | sed 's/xacts$/transactions/; s/xact$/transaction/')=$(setting "$name")"
  done
  # What Citus, logical replication and pg_cron do by themselves would reach other nodes.
  options="$options -c citus.recover_2pc_interval=-1 -c citus.defer_shard_delete_interval=-1 -c citus.background_task_queue_interval=-1"
  options="$options -c citus.distributed_deadlock_detection_factor=-1 -c citus.metadata_sync_interval=7d -c max_logical_replication_workers=0 -c cron.launch_active_jobs=off"
  as_dbsu "$PG_BIN/pg_ctl" -D "$PG_DATA" -l "$log" -o "$options" -W start >/dev/null
  while [ "$(state)" != 'in production' ] || [ -e "$PG_DATA/recovery.signal" ]; do
    sleep 0.2
    pg_control status >/dev/null 2>&1 || { as_dbsu grep -E 'FATAL|PANIC|ERROR' "$log" | tail -n 3; echo 'PostgreSQL stopped before it had reached the point'; exit 1; }
  done
fi
history=$(as_dbsu find "$PG_DATA/pg_wal/" -maxdepth 1 -name '*.history' | sort | tail -n 1)
last=$([ -z "$history" ] || as_dbsu awk 'NF' "$history" | tail -n 1)
wanted=$(printf '\t%s\tat restore point "%s"' "$LSN" "$POINT")
case $last in
*"$wanted") ;;
*) echo "it did not stop at the point: the history says: $last"; exit 1 ;;
esac
if pg_control status >/dev/null 2>&1; then pg_control -m fast -t 300 stop >/dev/null; fi
# They would stay in force.
as_dbsu sed -i '/^[[:space:]]*\(restore_command\|recovery_target\)/d' "$PG_DATA/postgresql.auto.conf"
: >"$STATE/recovered"
