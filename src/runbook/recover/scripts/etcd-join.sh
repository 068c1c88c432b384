# Takes this host's etcd into the cluster that lives at $ALIVE: old data aside, in as a learner, started beside a
# temporary configuration, then a voter. Every part looks first what is done already.

# etcd refuses for some seconds after a change, and a learner that has not caught up yet.
retry() {
  end=$(($(date +%s) + 60))
  until said=$("$@" 2>&1); do
    [ "$(date +%s)" -lt $end ] || { printf '%s\n' "$said" | tail -n 1; exit 1; }
    sleep 0.3
  done
}
mine() { etcd_ctl_at "$ALIVE" member list | grep -F ", $ETCD_PEER," || :; }

systemctl unmask etcd.service 2>/dev/null || :
if [ -z "$(mine)" ]; then
  etcd_stop
  move_aside "$ETCD_DATA"
  retry etcd_ctl_at "$ALIVE" member add "$ETCD_NAME" --learner --peer-urls="$ETCD_PEER"
fi
mkdir -p "$ETCD_DATA"
chown etcd:etcd "$ETCD_DATA"
chmod 0700 "$ETCD_DATA"
if ! systemctl is-active -q etcd.service; then
  conf=/run/citusctl/etcd-join.yml
  mkdir -p /run/citusctl
  trap 'etcd_start_ordinary; rm -f "$conf"' EXIT
  cluster=$(etcd_ctl_at "$ALIVE" member list | awk -F', ' -v me="$ETCD_PEER" -v name="$ETCD_NAME" \
    '{ n = $4 == me ? name : $3; printf "%s%s=%s", sep, n, $4; sep = "," }')
  sed -e "s#^initial-cluster:.*#initial-cluster: $cluster#" \
    -e 's/^initial-cluster-state:.*/initial-cluster-state: existing/' "$ETCD_CONF" >"$conf"
  chmod 0644 "$conf"
  etcd_start_with "$conf"
  systemctl reset-failed etcd.service 2>/dev/null || :
  systemctl start etcd.service
fi
case "$(mine)" in *', true')
  leader=$(etcd_leader_url "$ALIVE")
  retry etcd_ctl_at "${leader:-$ALIVE}" member promote "$(mine | cut -d, -f1)" ;;
esac
