# Saves the groups' keys and leaves in them nothing that the restored members would be judged by; /config stays. A member that
# comes back meanwhile meets another system identifier, and stays out. PREFIXES, SENTINEL, POINT and STATE are given.
umask 077
mkdir -p "$STATE"
printf '%s\n' "$PREFIXES" | while read -r prefix; do
  [ -n "$prefix" ] || continue
  etcd_ctl get --prefix -w json "$prefix" >>"$STATE/etcd.json"
  etcd_ctl put "${prefix}initialize" "$SENTINEL" >/dev/null
  for key in leader status sync failover failsafe history optime/leader; do etcd_ctl del "$prefix$key" >/dev/null; done
  etcd_ctl del --prefix "${prefix}members/" >/dev/null
done
: >"$STATE/locked"
