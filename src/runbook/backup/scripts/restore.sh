# Restores a backup beside the data directory, while the formation may run; PostgreSQL's own account does it, in a directory of its
# own. After restore-copy.sh; STANZA, SET, TIMELINE, POINT and STATE are given.
# shellcheck disable=SC2154 # of restore-copy.sh
mkdir -p "$STATE"
: >"$STATE/chosen"
rm -f "$STATE/restored" "$STATE/recovered"
! mountpoint -q "$real" || refuse "$real is a mount point: it cannot be renamed, and a restore of that is not built; restore this group by hand with pgBackRest (docs/backup.md)"
[ -e "$real/PG_VERSION" ] || [ ! -e "$real" ] || [ -z "$(ls -A "$real")" ] || refuse "$real is no data directory, and is not empty"
# What interrupted attempts left is ours, also that of other points.
for dir in "$real".restoring-*; do
  [ -d "$dir" ] || continue
  state="${STATE%/*}/${dir##*.restoring-}"
  [ -e "$state/chosen" ] && [ ! -e "$state/stopped" ] || [ "$dir" = "$copy" ] || continue
  remove_copy "$dir"
  [ "$dir" = "$copy" ] || rm -rf "$state"
done
as_dbsu mkdir -m 0700 "$copy"
rc=0
said=$(as_dbsu nice -n 10 /usr/bin/pgbackrest --stanza="$STANZA" --pg1-path="$copy" --set="$SET" --type=name --target="$POINT" --target-action=promote \
  --target-timeline="$TIMELINE" --log-level-console=warn restore 2>&1) || rc=$?
printf '%s\n' "$said"
[ "$rc" = 0 ] || unproved "pgBackRest: $(printf '%s\n' "$said" | sed -n 's/raised from local-[0-9]* protocol: //; s/^.*ERROR: *//p' | tail -n 1 | cut -c 1-400)"
: >"$STATE/restored"
