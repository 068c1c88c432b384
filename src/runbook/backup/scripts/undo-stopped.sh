# Whether Patroni and PostgreSQL are stopped here, or this host has come further already. STATE is given.
[ -d "$STATE@undo" ] || { echo 'not stopped yet'; exit 1; }
if [ ! -e "$STATE@undo/opened" ]; then
  [ "$(systemctl is-enabled patroni.service 2>/dev/null)" = masked ] || { echo 'Patroni is not masked'; exit 1; }
  ! systemctl is-active -q patroni.service || { echo 'Patroni runs'; exit 1; }
  [ -e "$STATE@undo/placed" ] || ! pg_control status >/dev/null 2>&1 || { echo 'PostgreSQL runs'; exit 1; }
fi
