pid=$(systemctl show -P MainPID patroni.service)
# shellcheck disable=SC2010 # names of links in /proc
if [ "${pid:-0}" -gt 1 ] && ls -l "/proc/$pid/fd" 2>/dev/null | grep -q watchdog; then
  echo 'Patroni holds the watchdog: without it the machine would be reset'
  false
fi
