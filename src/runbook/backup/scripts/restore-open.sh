# Gives this host back to Patroni. STATE is given.
: >"$STATE/opened"
systemctl unmask --quiet patroni.service
systemctl reset-failed patroni.service 2>/dev/null || :
systemctl start patroni.service
