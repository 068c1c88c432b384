# etcd on this host, beside templates/etcd.sh; ETCD_URL, ETCD_USER and ETCD_PASSWORD are given.
etcd_ctl_at() {
  if [ -n "$ETCD_PASSWORD" ]; then ETCDCTL_USER=root ETCDCTL_PASSWORD="$ETCD_PASSWORD" etcd_plain "$@"; else etcd_plain "$@"; fi
}
etcd_ctl() { etcd_ctl_at "$ETCD_URL" "$@"; }
etcd_stop() {
  systemctl kill -s KILL etcd.service 2>/dev/null || :
  systemctl stop etcd.service || :
}
ETCD_DROPIN=/run/systemd/system/etcd.service.d/zz-citusctl.conf
etcd_start_with() { # FILE
  if systemctl show -P EnvironmentFiles etcd.service | grep -q /run/citusctl/etcd-start; then
    printf 'CITUSCTL_ETCD_CONF=%s\n' "$1" >/run/citusctl/etcd-start
  else
    mkdir -p "${ETCD_DROPIN%/*}"
    printf '[Service]\nExecStart=\nExecStart=/usr/bin/etcd --config-file=%s\n' "$1" >"$ETCD_DROPIN"
    systemctl daemon-reload
  fi
}
etcd_start_ordinary() {
  rm -f /run/citusctl/etcd-start
  [ ! -e "$ETCD_DROPIN" ] || { rm -f "$ETCD_DROPIN"; systemctl daemon-reload; }
}
etcd_starts_ordinary() {
  [ ! -e /run/citusctl/etcd-start ] && [ ! -e "$ETCD_DROPIN" ] || { echo 'the temporary configuration is still in place'; return 1; }
}
etcd_leader() { etcd_plain "$ETCD_URL" endpoint status -w json 2>/dev/null | json_text leader; }
etcd_majority() {
  systemctl is-active -q etcd.service || return 1
  case $(etcd_leader) in '' | 0) false ;; *) etcd_plain "$ETCD_URL" endpoint health 2>&1 | grep -q 'is healthy' ;; esac
}
