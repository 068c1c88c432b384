# Whether a standby streams, else what its last attempt said. OPENED is where it is noted that Patroni was started.
[ -e "$OPENED" ] || { echo 'not started yet'; exit 1; }
if [ "$(sql postgres 'SELECT status FROM pg_stat_wal_receiver' 2>/dev/null)" != streaming ]; then
  why=$(journalctl -q --no-pager -o cat -b -u patroni -n 100 2>/dev/null | grep -aE '^(pg_basebackup|pgbackrest|pg_rewind): (error|fatal)' | tail -n 1 | cut -c 1-200)
  echo "does not stream yet${why:+: last attempt: $why}"
  exit 1
fi
