# Saves the groups' keys and leaves in them nothing that the restored members would be judged by; /config stays. A member that
# comes back meanwhile meets another system identifier, and stays out. What was saved is never saved again: it would be the lock.
# PREFIXES, SENTINEL, POINT and STATE are given.
umask 077
mkdir -p "$STATE"
printf '%s\n' "$PREFIXES" | while read -r prefix; do
  [ -n "$prefix" ] || continue
  saved="$STATE/etcd$prefix"
  if [ ! -e "$saved" ] && [ "$(etcd_ctl get --print-value-only "${prefix}initialize")" != "$SENTINEL" ]; then
    rm -rf "${saved%/}.new"
    mkdir -p "${saved%/}.new"
    for key in initialize history status sync config; do etcd_ctl get --print-value-only "$prefix$key" >"${saved%/}.new/$key"; done
    mv -T "${saved%/}.new" "${saved%/}"
  fi
  etcd_ctl put "${prefix}initialize" "$SENTINEL" >/dev/null
  for key in leader status sync failover failsafe history optime/leader; do etcd_ctl del "$prefix$key" >/dev/null; done
  etcd_ctl del --prefix "${prefix}members/" >/dev/null
done
: >"$STATE/locked"
