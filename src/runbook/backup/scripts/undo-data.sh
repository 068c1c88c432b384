# Puts the old data back in its place; what the restore made is kept beside it, never deleted. LEADS, POINT and STATE are given.
[ -z "$LEADS" ] || : >"$STATE@undo/chosen"
real=$(readlink -f "$PG_DATA")
before="$real.before-$POINT" after="$real.after-$POINT"
! pg_control status >/dev/null 2>&1 || refuse "PostgreSQL runs in $real"
if [ -e "$before/PG_VERSION" ]; then
  if [ -e "$STATE/chosen" ] && [ ! -e "$STATE/restored" ]; then
    # A backup that was not wholly restored is nobody's data.
    as_dbsu rm -rf --one-file-system -- "$real"
  elif [ -e "$real" ]; then
    [ ! -e "$after" ] || refuse "$after is there already"
    as_dbsu mv -T "$real" "$after"
  fi
  as_dbsu mv -T "$before" "$real"
elif [ -e "$STATE/opened" ] && [ ! -e "$after" ]; then
  # Its old data is not there: what it has is a copy of the new history, and it is cloned again.
  as_dbsu mv -T "$real" "$after"
fi
[ -e "$real" ] || as_dbsu mkdir -m 0700 "$real"
: >"$STATE@undo/placed"
