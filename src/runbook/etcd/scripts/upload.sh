# etcd's own tool must know SNAPSHOT as a snapshot.
etcdutl snapshot status "$SNAPSHOT" >/dev/null 2>&1 || ETCDCTL_API=3 etcdctl snapshot status "$SNAPSHOT" >/dev/null 2>&1 ||
  { echo 'this is no snapshot of etcd'; exit 1; }
