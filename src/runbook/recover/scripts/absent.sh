# Connections of Patroni and PostgreSQL to PLACES (an address and a port a line) are refused at once. A timer of systemd lifts it, whatever
# becomes of this run; so does a reboot.
command -v ip >/dev/null || { echo 'there is no program `ip` here: Patroni waits for lost hosts'; exit 1; }
priority=7654 uid=$(id -u "$PG_USER")
lift="for f in -4 -6; do while ip \$f rule del priority $priority 2>/dev/null; do :; done; done"
systemctl stop citusctl-absent.timer 2>/dev/null || :
sh -c "$lift"
systemd-run --quiet --collect --unit=citusctl-absent --on-active="$SECONDS_AT_MOST" --timer-property=AccuracySec=1s sh -c "$lift"
printf '%s\n' "$PLACES" | while read -r address port; do
  case $address in *:*) family=-6 ;; *) family=-4 ;; esac
  ip $family rule add priority $priority to "$address" ipproto tcp dport "$port" uidrange "$uid-$uid" prohibit
done
# Who has asked a lost host something waits for the answer until TCP gives up, a quarter of an hour: Citus's daemon, with all
# that it has to do.
for address in $(printf '%s\n' "$PLACES" | cut -d' ' -f1 | sort -u); do
  ! command -v ss >/dev/null || ss -tK dst "$address" >/dev/null 2>&1 || :
done
mkdir -p /run/citusctl
: >"/run/citusctl/absent-$RUN"
