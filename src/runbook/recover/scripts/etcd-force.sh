# Makes etcd on this host a cluster of one. The configuration and the drop-in are temporary, below /run: neither
# outlives the step, and a reboot forgets them in any case. A second start with them would drop members that have
# joined since.
conf=/run/citusctl/etcd-force.yml dropin=/run/systemd/system/etcd.service.d
mkdir -p /run/citusctl "$dropin"
trap 'rm -f "$dropin/zz-citusctl-force.conf" "$conf"; systemctl daemon-reload' EXIT
{ cat "$ETCD_CONF"; echo 'force-new-cluster: true'; } >"$conf"
chmod 0644 "$conf"
printf '[Service]\nExecStart=\nExecStart=/usr/bin/etcd --config-file=%s\n' "$conf" >"$dropin/zz-citusctl-force.conf"
systemctl unmask etcd.service 2>/dev/null || :
systemctl daemon-reload
etcd_stop
# Only the first copy is what was there before: `recover undo` puts it back.
if [ ! -e /etc/citusctl/etcd-before ]; then
  keep "$ETCD_DATA"
  mkdir -p /etc/citusctl
  printf '%s\n' "$KEPT$ETCD_DATA" >/etc/citusctl/etcd-before
fi
systemctl reset-failed etcd.service 2>/dev/null || :
systemctl start etcd.service
