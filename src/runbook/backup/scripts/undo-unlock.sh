# Puts back what etcd knew of the groups before the restore. PREFIXES and STATE are given, SYSTEMS where a
# member is gone: prefixes with their system identifiers.
saved="$STATE"
[ -d "$saved/etcd" ] || saved="$STATE@done"
printf '%s\n' "$PREFIXES" | while read -r prefix; do
  [ -n "$prefix" ] || continue
  if [ -n "$SYSTEMS" ]; then
    # A member is gone, and with it perhaps what was saved: by these keys nobody else might lead.
    etcd_ctl put "${prefix}initialize" "$(printf '%s\n' "$SYSTEMS" | sed -n "s#^$prefix ##p")" >/dev/null
    continue
  fi
  [ -s "$saved/etcd${prefix}initialize" ] || refuse "$saved/etcd${prefix}initialize is not there: what etcd knew was not saved"
  for key in history status sync; do
    [ -z "$(cat "$saved/etcd$prefix$key")" ] || etcd_ctl put "$prefix$key" "$(cat "$saved/etcd$prefix$key")" >/dev/null
  done
  etcd_ctl put "${prefix}initialize" "$(cat "$saved/etcd${prefix}initialize")" >/dev/null
done
mkdir -p "$STATE@undo"
: >"$STATE@undo/unlocked"
