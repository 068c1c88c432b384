# Takes a snapshot, has etcd verify it, and prints it. Needs `mark` and `etcd_ctl`.
cd /
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
if ! etcd_ctl snapshot save "$dir/db" >"$dir/log" 2>&1; then mark failed; tail -n 1 "$dir/log"; mark end; exit 0; fi
mark status; { etcdutl snapshot status "$dir/db" 2>/dev/null || ETCDCTL_API=3 etcdctl snapshot status "$dir/db" 2>/dev/null; }
mark sha256; sha256sum <"$dir/db" | cut -d' ' -f1
mark data; base64 <"$dir/db"
mark end
