# Takes this host's etcd into the cluster that lives at $ALIVE: old data aside, in as a learner, started beside a
# temporary configuration, then a voter. Every part looks first what is done already.

# etcd refuses for some seconds after a change, and a learner that has not caught up yet.
retry() {
  end=$(($(date +%s) + ${PATIENCE:-60}))
  until said=$("$@" 2>&1); do
    [ "$(date +%s)" -lt $end ] || { printf '%s\n' "$said" | tail -n 1 >&2; exit 1; }
    sleep 0.3
  done
}
# Whoever is no member loses its data here: a list that does not come is no answer, and ends it.
members() { retry etcd_ctl_at "$ALIVE" member list; printf '%s\n' "$said" | grep -E '^[0-9a-f]+, '; }
mine() { all=$(members) || exit 1; printf '%s\n' "$all" | grep -F ", $ETCD_PEER," || :; }

entry=$(mine)
systemctl unmask etcd.service 2>/dev/null || :
case $entry in
'')
  etcd_stop
  # What is in it: the directory itself may be a file system of its own.
  move_aside "$ETCD_DATA/member"
  rm -f "$ETCD_DATA/citusctl-forced"
  retry etcd_ctl_at "$ALIVE" member add "$ETCD_NAME" --learner --peer-urls="$ETCD_PEER" ;;
*', unstarted, '*) ;;
# With its number and without its log it would vote on what it has forgotten.
*) [ -e "$ETCD_DATA/member" ] || { echo "the cluster counts $ETCD_NAME, and its data is not here: \`citusctl etcd add $ETCD_NAME\` puts a new member in its place"; exit 1; } ;;
esac
mkdir -p "$ETCD_DATA"
chown etcd:etcd "$ETCD_DATA"
chmod 0700 "$ETCD_DATA"
if ! systemctl is-active -q etcd.service; then
  conf=/run/citusctl/etcd-join.yml
  mkdir -p /run/citusctl
  trap 'etcd_start_ordinary; rm -f "$conf"' EXIT
  all=$(members)
  cluster=$(printf '%s\n' "$all" | awk -F', ' -v me="$ETCD_PEER" -v name="$ETCD_NAME" \
    '{ n = $4 == me ? name : $3; printf "%s%s=%s", sep, n, $4; sep = "," }')
  sed -e "s#^initial-cluster:.*#initial-cluster: $cluster#" \
    -e 's/^initial-cluster-state:.*/initial-cluster-state: existing/' "$ETCD_CONF" >"$conf"
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
entry=$(mine)
case $entry in *', true')
  leader=$(etcd_leader_url "$ALIVE")
  retry etcd_ctl_at "${leader:-$ALIVE}" member promote "${entry%%,*}" ;;
esac
