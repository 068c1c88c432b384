# The restore is done: what it noted is kept under another name. POINT and STATE are given.
if [ -d "$STATE" ]; then
  rm -rf "$STATE@done"
  mv -T "$STATE" "$STATE@done"
fi
rm -f /etc/citusctl/restore
