# Puts the data directory aside and restores a backup in its place; PostgreSQL's own account does it, in a directory of its
# own. STANZA, SET, TIMELINE, POINT and STATE are given.
mkdir -p "$STATE"
: >"$STATE/chosen"
real=$(readlink -f "$PG_DATA")
aside="$real.before-$POINT"
if [ ! -e "$aside" ] && [ ! -e "$STATE/empty" ]; then
  ! pg_control status >/dev/null 2>&1 || refuse "PostgreSQL runs in $real"
  if [ -e "$real/PG_VERSION" ]; then
    as_dbsu mv -T "$real" "$aside"
  else
    # A host that was lost: there is nothing to put aside, and nothing of anybody's to delete.
    [ ! -e "$real" ] || [ -z "$(ls -A "$real")" ] || refuse "$real is no data directory, and is not empty"
    : >"$STATE/empty"
  fi
fi
[ -e "$STATE/empty" ] || [ -e "$aside/PG_VERSION" ] || refuse "$aside is no data directory: nothing was changed"
# What an interrupted attempt left is ours.
as_dbsu rm -rf --one-file-system -- "$real"
as_dbsu mkdir -m 0700 "$real"
as_dbsu /usr/bin/pgbackrest --stanza="$STANZA" --set="$SET" --type=name --target="$POINT" --target-action=promote \
  --target-timeline="$TIMELINE" --log-level-console=warn restore
: >"$STATE/restored"
