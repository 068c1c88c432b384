# Reads all of a stanza. STANZA is given.
mark segment-size
"$PG_BIN/pg_controldata" -D "$PG_DATA" 2>/dev/null | sed -n 's/^Bytes per WAL segment: *//p'
mark archive
archive=$(as_dbsu /usr/bin/pgbackrest --stanza="$STANZA" --log-level-console=off --log-level-stderr=error --output=json repo-ls --recurse "archive/$STANZA" 2>&1)
printf '%s\n' "$archive"
mark histories
back=$(as_dbsu mktemp -d /tmp/citusctl-verify.XXXXXX)
for file in $(printf '%s\n' "$archive" | grep -o '[0-9A-F]\{8\}\.history"' | tr -d '"' | sort -u); do
  as_dbsu /usr/bin/pgbackrest --stanza="$STANZA" --log-level-console=off --log-level-stderr=error archive-get "$file" "$back/history" 2>/dev/null || continue
  awk -v of="$file" 'NF { last = $1 " " $2 } END { if (last) print of, last }' "$back/history"
  as_dbsu rm -f "$back/history"
done
as_dbsu rm -rf "$back"
mark verify
as_dbsu /usr/bin/pgbackrest --stanza="$STANZA" --output=text --verbose --log-level-console=info verify 2>&1
mark "ended $?"
mark end
