# Takes this host's etcd into the cluster that lives at $ALIVE: old data aside, in as a learner, started beside a
# temporary configuration, then a voter. Every part looks first what is done already.

entry=$(etcd_entry "$ALIVE" "$ETCD_PEER")
systemctl unmask etcd.service 2>/dev/null || :
case $entry in
'')
  etcd_stop
  # What is in it: the directory itself may be a file system of its own.
  move_aside "$ETCD_DATA/member"
  beside "$ETCD_DATA/citusctl-forced" rm -f --
  etcd_retry etcd_ctl_at "$ALIVE" member add "$ETCD_NAME" --learner --peer-urls="$ETCD_PEER" ;;
*', unstarted, '*) ;;
# With its number and without its log it would vote on what it has forgotten.
*) [ -e "$ETCD_DATA/member" ] || { etcd_uncounted "$ETCD_NAME"; exit 1; } ;;
esac
put_dir "$ETCD_DATA" etcd etcd 0700
if ! systemctl is-active -q etcd.service; then
  conf=/run/citusctl/etcd-join.yml
  mkdir -p /run/citusctl
  trap 'etcd_start_ordinary; rm -f "$conf"' EXIT
  etcd_joining "$ALIVE" "$ETCD_NAME" "$ETCD_PEER" "$ETCD_CONF" >"$conf"
  chmod 0644 "$conf"
  etcd_start_with "$conf"
  systemctl reset-failed etcd.service 2>/dev/null || :
  systemctl start --no-block etcd.service
  # When the keys come as a snapshot etcd ends all its connections once, and its first word to the cluster, without which it
  # does not take part, is lost with them; it says it again after 7 s. Started once more it has the keys, and says it at once.
  n=0 waited=0
  until systemctl is-active -q etcd.service; do
    n=$((n + 1))
    case $(systemctl show -P ActiveState etcd.service) in failed) journalctl --no-pager -o cat -n 1 -u etcd; exit 1 ;; esac
    [ $n -lt 600 ] || { echo 'etcd has not started within a minute'; exit 1; }
    if find "$ETCD_DATA/member/snap" -name '*.snap' 2>/dev/null | grep -q .; then waited=$((waited + 1)); fi
    if [ $waited = 5 ]; then
      systemctl kill -s KILL etcd.service 2>/dev/null || :
      systemctl restart --no-block etcd.service
    fi
    sleep 0.1
  done
fi
etcd_promote "$ALIVE" "$ETCD_PEER"
# What the host keeps of it: it has a vote now.
[ ! -f /etc/citusctl/etcd_identity ] || sed -i 's/^etcd_learner true$/etcd_learner false/' /etc/citusctl/etcd_identity
