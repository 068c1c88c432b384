# The old data is back: nothing is open any more. POINT and STATE are given, WITHOUT: members that were gone.
rm -rf "$STATE@undone"
if [ -n "$WITHOUT" ] && [ ! -d "$STATE@done" ]; then mkdir -p "$STATE"; fi
for dir in "$STATE" "$STATE@done"; do
  if [ -d "$dir" ] && [ -n "$WITHOUT" ]; then printf '%s\n' "$WITHOUT" >"$dir/without"; fi
  if [ -d "$dir" ]; then mv -T "$dir" "$STATE@undone"; break; fi
done
rm -rf "$STATE" "$STATE@done" "$STATE@undo"
rm -f /etc/citusctl/restore
