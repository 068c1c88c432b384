# Recovers where nobody can connect, proves where it stopped, and stops again. LSN, POINT and STATE are given.
private_stop
if [ "$(state)" != 'shut down' ] || [ -e "$PG_DATA/recovery.signal" ]; then
  private_start
  while [ "$(state)" != 'in production' ] || [ -e "$PG_DATA/recovery.signal" ]; do
    sleep 0.2
    private_runs 'PostgreSQL stopped before it had reached the point'
  done
fi
last=$(last_history)
wanted=$(printf '\t%s\tat restore point "%s"' "$LSN" "$POINT")
case $last in
*"$wanted") ;;
*) echo "it did not stop at the point: the history says: $last"; exit 1 ;;
esac
private_stop
# They would stay in force.
as_dbsu sed -i '/^[[:space:]]*\(restore_command\|recovery_target\)/d' "$PG_DATA/postgresql.auto.conf"
: >"$STATE/recovered"
