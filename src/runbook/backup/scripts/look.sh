# What a host is asked before backups and restores. POINTS is given, and `repository` on members.
if [ -n "${PG_DATA:-}" ]; then
  mark recovery
  recovery=$(sql postgres 'SELECT pg_is_in_recovery()' 2>/dev/null)
  printf '%s\n' "$recovery"
  open=$(cat /etc/citusctl/restore 2>/dev/null)
  if [ -n "$open" ] && [ -e "/var/lib/citusctl/restore/$open/chosen" ]; then mark chosen; fi
  # Standbys are asked as well: nobody may lead when it is read.
  # shellcheck disable=SC2034 # `repository` reads it
  ANYWAY=yes
  mark repository
  (repository)
  real=$(readlink -f "$PG_DATA" 2>/dev/null)
  mark size
  [ -z "$real" ] || du -sk -- "$real" 2>/dev/null
  mark free
  [ -z "$real" ] || df -k --output=avail -- "${real%/*}" 2>/dev/null | tail -n 1
  mark timelines
  present=$(sql postgres 'SELECT pg_walfile_name(pg_current_wal_lsn())' 2>/dev/null | cut -c 1-8)
  [ -n "$present" ] || present=$(find "$PG_DATA/pg_wal/" -maxdepth 1 -name '????????.history' -printf '%f\n' 2>/dev/null | sort | tail -n 1 | cut -c 1-8)
  [ ! -e "$PG_DATA/PG_VERSION" ] || printf '%s\n' "${present:-00000001}"
  [ ! -e "$PG_DATA/PG_VERSION" ] || cat "$PG_DATA/pg_wal/$present.history" 2>/dev/null
  if [ "$recovery" != t ]; then mark segments; (segments); fi
  mark elsewhere
  [ ! -L "$PG_DATA/pg_wal" ] || echo "pg_wal is a link"
  find "$PG_DATA/pg_tblspc/" -mindepth 1 -maxdepth 1 -printf 'tablespace %f\n' 2>/dev/null
  mark aside
  [ -z "$real" ] || find "${real%/*}" -mindepth 1 -maxdepth 1 -name "${real##*/}.before-*" 2>/dev/null
  mark open
  printf '%s\n' "$open"
fi
mark points
cat "$POINTS" 2>/dev/null
mark end
