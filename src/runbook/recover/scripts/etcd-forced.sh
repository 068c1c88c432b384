# Asked without a password: each login costs a password's hash.
etcd_starts_ordinary
case $(etcd_leader) in '' | 0) echo 'etcd does not answer yet'; false ;; esac
n=$(etcd_plain "$ETCD_URL" member list | wc -l)
[ "$n" = 1 ] || { echo "etcd has $n members"; false; }
