# Puts the data of a standby aside; Patroni clones it again. POINT and STATE are given.
real=$(readlink -f "$PG_DATA")
aside="$real.before-$POINT"
if [ ! -e "$STATE/opened" ]; then
  ! pg_control status >/dev/null 2>&1 || refuse "PostgreSQL runs in $real"
  if [ ! -e "$aside" ] && [ -e "$real/PG_VERSION" ]; then as_dbsu mv -T "$real" "$aside"; fi
  [ -d "$real" ] || as_dbsu mkdir -m 0700 "$real"
  : >"$STATE/opened"
fi
systemctl unmask --quiet patroni.service
systemctl reset-failed patroni.service 2>/dev/null || :
systemctl start patroni.service
