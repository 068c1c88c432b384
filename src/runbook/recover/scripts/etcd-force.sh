# Makes etcd on this host a cluster of one. The configuration is temporary, below /run: it does not outlive the step,
# and a reboot forgets it in any case. A second start with it would drop members that have joined since.
conf=/run/citusctl/etcd-force.yml
mkdir -p /run/citusctl
kept=$KEPT$ETCD_DATA copying=
if [ ! -e /etc/citusctl/etcd-before ]; then
  (umask 077; mkdir -p "$KEPT") || refuse "$KEPT cannot be made: is the disk full?"
  needs=$(du -sk "$ETCD_DATA" | cut -f1)
  free=$(df -k --output=avail "$KEPT" | tail -n 1)
  [ "$free" -gt $((needs + 8192)) ] || refuse "the file system of $KEPT has $((free / 1024)) MB free, the copy of etcd's data needs $((needs / 1024 + 8)) MB: make room, then run the same command again"
fi
# A copy that was cut short is worth nothing, and etcd must not stay held.
trap '[ -z "$copying" ] || { rm -rf "$kept"; systemctl kill -s CONT etcd.service 2>/dev/null || :; }; etcd_start_ordinary; rm -f "$conf"' EXIT
# New members must begin with a snapshot (settle.rs): there is one from the first moment. A cluster of one need not wait
# for an election as long as three members over a network do; with the next start it does again.
{
  grep -vE '^(snapshot-count|heartbeat-interval|election-timeout):' "$ETCD_CONF"
  printf '%s\n' 'force-new-cluster: true' 'snapshot-count: 10' 'heartbeat-interval: 20' 'election-timeout: 100'
} >"$conf"
chmod 0644 "$conf"
if [ -L /etc/systemd/system/etcd.service ]; then systemctl unmask etcd.service; fi
etcd_start_with "$conf"
# Held, not ended, while its data is copied: who asks it waits, and need not look for it again. Only the first copy is what
# was there before: `recover undo` puts it back. The log's next file is 64 MB of nothing.
copying=1
systemctl kill -s STOP etcd.service 2>/dev/null || :
if [ ! -e /etc/citusctl/etcd-before ]; then
  copy_aside "$ETCD_DATA"
  mkdir -p /etc/citusctl
  printf '%s\n' "$kept" >/etc/citusctl/etcd-before.new
  mv -fT /etc/citusctl/etcd-before.new /etc/citusctl/etcd-before
fi
copying=
within "$ETCD_DATA" sh -c 'rm -f citusctl-forced && : >citusctl-forced'
systemctl kill -s KILL etcd.service 2>/dev/null || :
systemctl restart etcd.service || { systemctl reset-failed etcd.service; systemctl restart etcd.service; }
