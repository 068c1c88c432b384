# etcd's own tool must know FILE as a snapshot.
etcdutl snapshot status "$FILE" >/dev/null 2>&1 || ETCDCTL_API=3 etcdctl snapshot status "$FILE" >/dev/null 2>&1 ||
  { echo 'this is no snapshot of etcd'; exit 1; }
