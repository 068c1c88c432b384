# Puts the empty database that preparing this lab host made aside, as a restore does first: `restore` goes on from there.
# POINT, LINE and POINTS are given, and CHOSEN where the group is restored.
mkdir -p "${POINTS%/*}"
printf '%s\n' "$LINE" >>"$POINTS"
if [ -n "$CHOSEN" ]; then
  state=/var/lib/citusctl/restore/$POINT
  mkdir -p "$state"
  : >"$state/chosen"
  printf '%s\n' "$POINT" >/etc/citusctl/restore
  ! pg_control status >/dev/null 2>&1 || pg_control -m fast -t 120 stop >/dev/null
  real=$(readlink -f "$PG_DATA")
  as_dbsu mv -T "$real" "$real.before-$POINT"
  as_dbsu mkdir -m 0700 "$real"
fi
