# Makes etcd on this host a cluster of one. The configuration and the drop-in are temporary, below /run: neither
# outlives the step, and a reboot forgets them in any case. A second start with them would drop members that have
# joined since.
conf=/run/citusctl/etcd-force.yml dropin=/run/systemd/system/etcd.service.d
# Only the first copy is what was there before: `recover undo` puts it back. The log's files are 64 MB of nothing each.
save() {
  if [ ! -e /etc/citusctl/etcd-before ]; then
    rm -rf "$KEPT$ETCD_DATA"
    (umask 077; mkdir -p "$KEPT${ETCD_DATA%/*}")
    cp -a --sparse=always -- "$ETCD_DATA" "$KEPT$ETCD_DATA"
    mkdir -p /etc/citusctl
    printf '%s\n' "$KEPT$ETCD_DATA" >/etc/citusctl/etcd-before
  fi
}
mkdir -p /run/citusctl "$dropin"
# Nobody waits for the second one: what systemd still knows names a file that is gone.
trap 'rm -f "$dropin/zz-citusctl-force.conf" "$conf"; systemctl daemon-reload >/dev/null 2>&1 &' EXIT
# New members must begin with a snapshot (settle.rs): there is one from the first moment.
{ grep -v '^snapshot-count:' "$ETCD_CONF"; printf '%s\n' 'force-new-cluster: true' 'snapshot-count: 10'; } >"$conf"
chmod 0644 "$conf"
printf '[Service]\nExecStart=\nExecStart=/usr/bin/etcd --config-file=%s\n' "$conf" >"$dropin/zz-citusctl-force.conf"
etcd_stop
# systemd takes half a second to read its files anew, and so does the copy.
(trap - EXIT; save) &
saving=$!
if [ "$(systemctl show -P LoadState etcd.service)" = masked ]; then systemctl unmask etcd.service; fi
systemctl daemon-reload
wait $saving
: >"$ETCD_DATA/citusctl-forced"
systemctl reset-failed etcd.service 2>/dev/null || :
systemctl start etcd.service
