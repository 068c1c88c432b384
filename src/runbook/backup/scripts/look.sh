# What a host is asked before backups and restores. POINTS is given, and `repository` on members.
if [ -n "${PG_DATA:-}" ]; then
  mark recovery
  sql postgres 'SELECT pg_is_in_recovery()' 2>/dev/null
  open=$(cat /etc/citusctl/restore 2>/dev/null)
  ANYWAY=
  # shellcheck disable=SC2034 # `repository` reads it
  if [ -n "$open" ] && [ -e "/var/lib/citusctl/restore/$open/chosen" ]; then mark chosen; ANYWAY=yes; fi
  mark repository
  (repository)
  real=$(readlink -f "$PG_DATA" 2>/dev/null)
  mark size
  [ -z "$real" ] || du -sk -- "$real" 2>/dev/null
  mark free
  [ -z "$real" ] || df -k --output=avail -- "${real%/*}" 2>/dev/null | tail -n 1
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
