# Recovers the copy where nobody can connect, proves where it stopped, and stops it again. After restore-copy.sh; LSN, POINT and STATE are given.
# shellcheck disable=SC2154,SC2034 # of and for restore-copy.sh and restore-private.sh
PG_DATA=$copy
private_stop
# Numbers that the group has used and not archived, or that are kept from being used, are not taken again.
as_dbsu sh -c 'for file in "$1"/pg_wal/*.history; do [ ! -e "$file" ] || [ -e "$2/pg_wal/${file##*/}" ] || cp -p "$file" "$2/pg_wal/"; done' sh "$real" "$copy"
if [ "$(state)" != 'shut down' ] || [ -e "$copy/recovery.signal" ]; then
  private_start
  while [ "$(state)" != 'in production' ] || [ -e "$copy/recovery.signal" ]; do
    sleep 0.2
    private_lives || unproved "PostgreSQL stopped before it had reached the point: $(private_last)"
  done
fi
own=$(as_dbsu awk 'NF' "$copy/pg_wal/$(history_of "$(timeline_of "$copy")")" | tail -n 1)
wanted=$(printf '\t%s\tat restore point "%s"' "$LSN" "$POINT")
case $own in
*"$wanted") ;;
*) unproved "it did not stop at the point: its history says: $own" ;;
esac
if ! private_lives; then private_start; fi
cause=$(private_answers) || { private_stop; unproved "$cause"; }
private_roles || { private_stop; unproved "the roles of Patroni could not be given their passwords: $(private_last)"; }
private_stop
# They would stay in force.
as_dbsu sed -i '/^[[:space:]]*\(restore_command\|recovery_target\)/d' "$copy/postgresql.auto.conf"
: >"$STATE/recovered"
