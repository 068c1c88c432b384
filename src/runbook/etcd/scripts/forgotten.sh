list=$(etcd_ctl member list) || { echo 'etcd does not answer'; false; }
case "$list" in *"$MEMBER_ID"*) echo 'it is still counted'; false ;; esac
