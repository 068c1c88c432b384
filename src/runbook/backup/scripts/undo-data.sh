# Puts the old data back in its place; what the restore made is kept beside it, never deleted. After restore-copy.sh;
# LEADS, POINT and STATE are given.
# shellcheck disable=SC2154 # of restore-copy.sh
[ -z "$LEADS" ] || : >"$STATE@undo/chosen"
before=$aside after="$real.after-$POINT"
! pg_control status >/dev/null 2>&1 || refuse "PostgreSQL runs in $real"
if [ -e "$before/PG_VERSION" ]; then
  if [ -e "$real/PG_VERSION" ]; then
    [ ! -e "$after" ] || refuse "$after is there already"
    as_dbsu mv -T "$real" "$after"
  fi
  if [ -e "$real" ]; then as_dbsu rmdir -- "$real"; fi
  as_dbsu mv -T "$before" "$real"
elif [ -e "$STATE/opened" ] && [ ! -e "$after" ]; then
  # Its old data is not there: what it has is a copy of the new history, and it is cloned again.
  as_dbsu mv -T "$real" "$after"
fi
[ -e "$real" ] || as_dbsu mkdir -m 0700 "$real"
# A copy that was not put in place is nobody's data.
if [ -d "$copy" ]; then remove_copy "$copy"; fi
: >"$STATE@undo/placed"
