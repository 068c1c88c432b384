[ -d "$ETCD_DATA/member" ] || { echo "$ETCD_DATA has no member in it"; false; }
if etcd_majority; then echo 'etcd has a majority after all: a lost member has come back; see citusctl status'; false; fi
