# Whether Patroni and PostgreSQL are stopped here, or this host has come further already. STATE is given.
if [ ! -e "$STATE/opened" ]; then
  [ "$(systemctl is-enabled patroni.service 2>/dev/null)" = masked ] || { echo 'Patroni is not masked'; exit 1; }
  ! systemctl is-active -q patroni.service || { echo 'Patroni runs'; exit 1; }
  [ -e /etc/citusctl/restore ] || { echo 'it is not noted that a restore is open'; exit 1; }
  ! pg_control status >/dev/null 2>&1 || { echo 'PostgreSQL runs'; exit 1; }
fi
