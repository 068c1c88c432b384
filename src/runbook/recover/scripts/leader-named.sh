leader=$(etcd_ctl get --print-value-only "${PREFIX}leader")
[ "$leader" = "$ME" ] || { echo "etcd names ${leader:-nobody} as the leader"; false; }
