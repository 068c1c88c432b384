leader=$(etcd_ctl get --print-value-only "${PREFIX}leader")
[ "$leader" = "$MEMBER" ] || { echo "etcd names ${leader:-nobody} as the leader"; false; }
