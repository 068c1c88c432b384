# Locks the groups in etcd while their data is exchanged. PREFIXES, SENTINEL and STATE are given.
umask 077
mkdir -p "$STATE@undo"
printf '%s\n' "$PREFIXES" | while read -r prefix; do
  [ -n "$prefix" ] || continue
  etcd_ctl put "${prefix}initialize" "$SENTINEL" >/dev/null
  for key in leader status sync failover failsafe history optime/leader; do etcd_ctl del "$prefix$key" >/dev/null; done
  etcd_ctl del --prefix "${prefix}members/" >/dev/null
done
: >"$STATE@undo/locked"
