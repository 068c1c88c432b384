# The restore is done: what it noted is kept under another name. POINT and STATE are given.
rm -rf "$STATE.done"
[ ! -d "$STATE" ] || mv -T "$STATE" "$STATE.done"
rm -f /etc/citusctl/restore
