# The log of a forced member begins with its newest snapshot after a restart: whoever joins gets all keys from it.
forced="$ETCD_DATA/citusctl-forced"
[ -e "$forced" ] || exit 0
n=0
until find "$ETCD_DATA/member/snap" -name '*.snap' -newer "$forced" | grep -q .; do
  n=$((n + 1))
  [ $n -lt 100 ] || { echo 'etcd has made no snapshot of its log since it was forced'; exit 1; }
  sleep 0.1
done
etcd_stop
etcd_start_ordinary
systemctl reset-failed etcd.service 2>/dev/null || :
systemctl start etcd.service
beside "$forced" rm -f --
