# Stops Patroni and PostgreSQL here, and notes that a restore is being undone. POINT and STATE are given.
mkdir -p "$STATE@undo" /etc/citusctl
printf '%s\nundo\n' "$POINT" >/etc/citusctl/restore
if [ ! -d "$STATE" ] && [ -d "$STATE@done" ]; then mv -T "$STATE@done" "$STATE"; fi
systemctl stop patroni.service
systemctl mask --quiet patroni.service
if pg_control status >/dev/null 2>&1; then pg_control -m fast -t 300 stop >/dev/null; fi
