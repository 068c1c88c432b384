# Whether the segment with the record can be read back from the repository. STANZA and DIR are given.
[ -e "$DIR/done" ] || { echo 'the record was not written while all groups held back'; exit 1; }
wal=$(as_dbsu python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["wal"])' "$DIR/made")
rm -f "$DIR/wal"
as_dbsu /usr/bin/pgbackrest --stanza="$STANZA" --log-level-console=off --log-level-stderr=off archive-get "$wal" "$DIR/wal" || {
  failing=$(sql postgres "SELECT 'archiving fails, the last attempt was at ' || pg_catalog.date_trunc('second', last_failed_time) || ' for ' || last_failed_wal FROM pg_stat_archiver WHERE last_failed_time > COALESCE(last_archived_time, '-infinity')" 2>/dev/null)
  echo "segment $wal is not in the repository yet${failing:+: $failing}"
  exit 1
}
[ -s "$DIR/wal" ] || { echo "segment $wal is empty"; exit 1; }
rm -f "$DIR/wal"
