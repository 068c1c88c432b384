# The restore is done: what it noted is kept under another name. POINT and STATE are given, WITHOUT:
# members that were gone.
if [ -d "$STATE" ]; then
  [ -z "$WITHOUT" ] || printf '%s\n' "$WITHOUT" >"$STATE/without"
  rm -rf "$STATE@done"
  mv -T "$STATE" "$STATE@done"
fi
rm -f /etc/citusctl/restore
