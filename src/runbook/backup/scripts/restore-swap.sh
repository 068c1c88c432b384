# Exchanges the data directory for the copy. After restore-copy.sh; STANZA, POINT and STATE are given.
# shellcheck disable=SC2154 # of restore-copy.sh
if [ -d "$copy" ]; then
  ! pg_control status >/dev/null 2>&1 || refuse "PostgreSQL runs in $real"
  [ -e "$STATE/recovered" ] || refuse "$copy is not proved"
  rc=0
  why=$(number_taken || number_archived "$STANZA") || rc=$?
  if [ "$rc" != 1 ]; then
    [ "$rc" = 2 ] || rm -f "$STATE/restored" "$STATE/recovered"
    unproved "$why"
  fi
  if [ -e "$real/PG_VERSION" ]; then
    [ ! -e "$aside" ] || refuse "$aside is there already: nothing was moved"
    as_dbsu mv -T "$real" "$aside"
  fi
  # A host that was lost: there is nothing to put aside, and nothing of anybody's to delete.
  [ -e "$aside/PG_VERSION" ] || : >"$STATE/empty"
  if [ -e "$real" ]; then as_dbsu rmdir -- "$real"; fi
  as_dbsu mv -T "$copy" "$real"
fi
[ -e "$real/PG_VERSION" ] || refuse "$real is no data directory, and $copy is not there"
: >"$STATE/placed"
