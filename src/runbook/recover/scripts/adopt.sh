# Patroni finds the running primary, and takes the key for it. Needs `no_mark`.
sql postgres 'ALTER SYSTEM RESET synchronous_standby_names'
no_mark
sql postgres CHECKPOINT
rm -f "$DROPIN"
systemctl unmask patroni.service
systemctl daemon-reload
systemctl reset-failed patroni.service 2>/dev/null || :
systemctl start --no-block patroni.service
