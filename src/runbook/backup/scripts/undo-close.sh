# The old data is back: nothing is open any more. POINT and STATE are given.
rm -rf "$STATE@undone"
for dir in "$STATE" "$STATE@done"; do
  if [ -d "$dir" ]; then mv -T "$dir" "$STATE@undone"; break; fi
done
rm -rf "$STATE" "$STATE@done" "$STATE@undo"
rm -f /etc/citusctl/restore
