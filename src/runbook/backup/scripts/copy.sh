# What a restore to a point needs of a repository, as a stream of text: the backup with those that it builds on, and the log from its
# begin to the point. Reads only. REPO, STANZA, SET, BEGINS and ENDS (numbers of segments in hexadecimal) are given.
cd -- "$REPO" || exit 1
full=${SET%%_*}
needed() {
  find "backup/$STANZA" -maxdepth 1 -name 'backup.info*'
  for dir in "backup/$STANZA/$full"*; do
    label=${dir##*/}
    if [ "$label" = "$full" ] || [ "$label" = "$SET" ] || expr "x$label" '<' "x$SET" >/dev/null; then find "$dir" ! -type d; fi
  done
  find "archive/$STANZA" -maxdepth 1 -name 'archive.info*'
  find "archive/$STANZA" -type f -name '*.history*'
  find "archive/$STANZA" -type f -name '????????????????????????-*' | awk -F/ -v from="x$BEGINS" -v to="x$ENDS" '{ at = "x" substr($NF, 9, 16); if (at >= from && at <= to) print }'
}
{ needed | tar -cf - -T - || echo 'tar could not read all of it' >&2; } | base64 -w 60000
