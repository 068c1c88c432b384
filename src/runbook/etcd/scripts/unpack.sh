# Makes the member's data of the snapshot SNAPSHOT. `etcdutl` came with 3.5; before it `etcdctl` did this. A mark says which run made it.
put_dir "$ETCD_DATA" etcd etcd 0700
within "$ETCD_DATA" rm -rf restored restored.db
within "$ETCD_DATA" sh -c 'umask 077; cat >restored.db' <"$SNAPSHOT"
tool=etcdutl
command -v etcdutl >/dev/null || tool=etcdctl
within "$ETCD_DATA" env ETCDCTL_API=3 $tool snapshot restore restored.db --name "$ETCD_NAME" --initial-cluster "$CLUSTER" \
  --initial-cluster-token "$TOKEN" --initial-advertise-peer-urls "$ETCD_PEER" --data-dir restored >/run/citusctl/etcd-restore.log 2>&1 ||
  { tail -n 1 /run/citusctl/etcd-restore.log; exit 1; }
move_aside "$ETCD_DATA/member"
within "$ETCD_DATA" mv -T restored/member member
within "$ETCD_DATA" rm -rf restored restored.db
# Users and roles are those of the past: the next apply looks at them again.
rm -f /etc/citusctl/stamps/etcd-auth /etc/citusctl/stamps/etcd-passwords
printf '%s\n' "$RUN" >/run/citusctl/etcd-restored
