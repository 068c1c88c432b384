# Gives this host back to Patroni. STATE is given.
: >"$STATE@undo/opened"
systemctl unmask --quiet patroni.service
systemctl reset-failed patroni.service 2>/dev/null || :
systemctl start patroni.service
