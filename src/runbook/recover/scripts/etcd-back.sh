# etcd as it was before it was made a cluster of one: BEFORE names where the run that did it kept its data.
kept=$(cat "$BEFORE")
[ -d "$kept/member" ] || { echo "$kept is not there"; exit 1; }
etcd_stop
move_aside "$ETCD_DATA/member"
beside "$ETCD_DATA/citusctl-forced" rm -f --
copy_back "$kept" member "$ETCD_DATA"
etcd_start_ordinary
systemctl start --no-block etcd.service
rm -f "$BEFORE"
