# Starts PostgreSQL without Patroni, as Patroni did: not all that it was told is in its configuration.
[ -s "$PG_DATA/postmaster.opts" ] || { echo "$PG_DATA/postmaster.opts is not there"; exit 1; }
if pg_is_stopping; then pg_control -m immediate -t 20 stop; fi
if ! pg_control status >/dev/null 2>&1; then
  systemctl stop citusctl-postgres.service 2>/dev/null || :
  systemctl reset-failed citusctl-postgres.service 2>/dev/null || :
  put_dir /run/postgresql "$PG_USER" "$(id -gn "$PG_USER")" 2775
  systemd-run --quiet --unit=citusctl-postgres --collect --uid="$PG_USER" --property=KillMode=mixed --property=KillSignal=SIGINT \
    --property=TimeoutStopSec=120 --property=LimitNOFILE=1048576 --property=OOMScoreAdjust=-900 \
    sh -c "exec $(as_dbsu cat "$PG_DATA/postmaster.opts")"
fi
