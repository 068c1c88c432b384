# Recovers where nobody can connect, proves where it stopped, and stops again. LSN, POINT and STATE are given.
# shellcheck disable=SC2154 # of restore-private.sh
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
if ! pg_control status >/dev/null 2>&1; then private_start; fi
n=0
until as_dbsu "$PG_BIN/pg_isready" -q -h "$private_socket" -p "$PG_PORT"; do
  n=$((n + 1))
  [ $n -lt 600 ] || { echo 'PostgreSQL does not answer where nobody else can connect'; exit 1; }
  sleep 0.1
  private_runs 'PostgreSQL stopped again'
done
private_roles || { echo 'the roles of Patroni could not be given their passwords'; exit 1; }
private_stop
# They would stay in force.
as_dbsu sed -i '/^[[:space:]]*\(restore_command\|recovery_target\)/d' "$PG_DATA/postgresql.auto.conf"
: >"$STATE/recovered"
