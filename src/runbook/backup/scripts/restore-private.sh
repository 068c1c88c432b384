# PostgreSQL where nobody can connect: how it is started there, and what pg_controldata says of it.
control() { LC_ALL=C as_dbsu "$PG_BIN/pg_controldata" -D "$PG_DATA" | sed -n "s/^$1: *//p"; }
state() { control 'Database cluster state'; }
private_socket=/run/citusctl-restore private_log=/run/citusctl-restore/postgres.log
private_start() { # OPTIONS...
  install -d -m 0700 -o "$PG_USER" -g "$PG_USER" "$private_socket"
  as_dbsu rm -f "$private_log"
  # The formation's server may run beside it.
  options="-c listen_addresses= -c unix_socket_directories=$private_socket -c shared_buffers=128MB -c huge_pages=off -c hot_standby=off -c logging_collector=off -c log_destination=stderr -c archive_command= -c synchronous_standby_names= -c wal_level=$(control 'wal_level setting')"
  # Patroni names them by their path in the data directory, which may be another one.
  for name in hba ident; do
    if as_dbsu test -e "$PG_DATA/pg_$name.conf"; then options="$options -c ${name}_file=$PG_DATA/pg_$name.conf"; fi
  done
  for name in max_connections max_worker_processes max_wal_senders max_prepared_xacts max_locks_per_xact; do
    options="$options -c $(echo "$name" | sed 's/xacts$/transactions/; s/xact$/transaction/')=$(control "$name setting")"
  done
  # What Citus, logical replication and pg_cron do by themselves would reach other nodes.
  options="$options -c citus.recover_2pc_interval=-1 -c citus.defer_shard_delete_interval=-1 -c citus.background_task_queue_interval=-1"
  options="$options -c citus.distributed_deadlock_detection_factor=-1 -c citus.metadata_sync_interval=7d -c max_logical_replication_workers=0 -c cron.launch_active_jobs=off"
  # It must not hold the run's lock (9) when this program is killed: the next run stops it.
  as_dbsu "$PG_BIN/pg_ctl" -D "$PG_DATA" -l "$private_log" -o "$options $*" -W start >/dev/null 9>&-
}
private_lives() { pg_control status >/dev/null 2>&1; }
private_last() { as_dbsu grep -E 'FATAL|PANIC|ERROR' "$private_log" 2>/dev/null | sed 's/^.*\(FATAL\|PANIC\|ERROR\): */\1: /' | tail -n 1 | cut -c 1-300; }
private_runs() { # WORDS: fails with them where PostgreSQL has stopped by itself
  private_lives || { echo "$1: $(private_last)"; exit 1; }
}
private_answers() { # fails with the cause where it does not take sessions within a minute
  n=0
  until as_dbsu "$PG_BIN/pg_isready" -q -h "$private_socket" -p "$PG_PORT"; do
    n=$((n + 1))
    [ $n -lt 600 ] || { echo 'PostgreSQL does not answer where nobody else can connect'; return 1; }
    sleep 0.1
    private_lives || { echo "PostgreSQL stopped again: $(private_last)"; return 1; }
  done
}
private_stop() { ! pg_control status >/dev/null 2>&1 || pg_control -m fast -t 300 stop >/dev/null; }
