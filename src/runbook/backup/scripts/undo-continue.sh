# The old history goes on under a number that the restored one has not used: its timelines are in the repository already, and
# PostgreSQL would take the same numbers again. STANZA, POINT and STATE are given.
real=$(readlink -f "$PG_DATA")
after="$real.after-$POINT"
private_stop
own=$(control "Latest checkpoint's TimeLineID")
if [ ! -e "$STATE@undo/from" ]; then echo "$own" >"$STATE@undo/from"; fi
from=$(cat "$STATE@undo/from")
next=$((from + 1)) taken=
while name=$(printf '%08X.history' "$next"); do
  # An interrupted run may have taken one up itself.
  if [ "$own" != "$from" ] && [ "$next" = "$own" ]; then break; fi
  if as_dbsu test -e "$real/pg_wal/$name"; then :
  elif as_dbsu test -e "$after/pg_wal/$name"; then as_dbsu cp -p "$after/pg_wal/$name" "$real/pg_wal/$name"
  elif as_dbsu timeout 60 /usr/bin/pgbackrest --stanza="$STANZA" --log-level-console=off --log-level-stderr=off archive-get "$name" "$real/pg_wal/$name" 2>/dev/null; then :
  else break; fi
  taken=$next next=$((next + 1))
done
if [ -n "$taken" ] && [ "$own" = "$from" ]; then
  as_dbsu touch "$PG_DATA/standby.signal"
  private_start -c recovery_target_timeline=current -c restore_command= -c primary_conninfo= -c primary_slot_name=
  while [ "$(state)" != 'in production' ] || [ -e "$PG_DATA/standby.signal" ]; do
    pg_control -W promote >/dev/null 2>&1 || :
    sleep 0.2
    private_runs 'PostgreSQL stopped before it had taken up the old history'
  done
fi
if ! as_dbsu test -e "$PG_DATA/standby.signal"; then
  private_lives || private_start
  cause=$(private_answers) || { private_stop; echo "$cause"; exit 1; }
  private_roles || { private_stop; echo "the roles of Patroni could not be given their passwords: $(private_last)"; exit 1; }
fi
private_stop
now=$(control "Latest checkpoint's TimeLineID")
if [ -n "$taken" ] && [ "$now" -le "$taken" ]; then echo "it is still on timeline $now, and $taken is taken"; exit 1; fi
[ "$(state)" = 'shut down' ] || [ -z "$taken" ] || { echo "it is not shut down: $(state)"; exit 1; }
: >"$STATE@undo/continued"
