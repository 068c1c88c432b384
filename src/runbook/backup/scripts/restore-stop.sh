# Stops Patroni and PostgreSQL here, and notes that a restore is open. POINT and STATE are given.
[ -e "$STATE/stopped" ] || rm -rf "$STATE@done"
mkdir -p "$STATE" /etc/citusctl
: >"$STATE/stopped"
printf '%s\n' "$POINT" >/etc/citusctl/restore
# First stopped, then masked: a masked unit has lost its KillMode.
systemctl stop patroni.service
systemctl mask --quiet patroni.service
if pg_control status >/dev/null 2>&1; then pg_control -m fast -t 300 stop >/dev/null; fi
