# Whether the segment with the record can be read back from the repository. STANZA and DIR are given.
[ -e "$DIR/done" ] || { echo 'the record was not written while all groups held back'; exit 1; }
wal=$(as_dbsu python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["wal"])' "$DIR/made")
rm -f "$DIR/wal"
as_dbsu /usr/bin/pgbackrest --stanza="$STANZA" --log-level-console=off --log-level-stderr=off archive-get "$wal" "$DIR/wal" || { echo "segment $wal is not in the repository yet"; exit 1; }
[ -s "$DIR/wal" ] || { echo "segment $wal is empty"; exit 1; }
rm -f "$DIR/wal"
