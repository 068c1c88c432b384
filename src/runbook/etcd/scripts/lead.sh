# Patroni begins once more beside its running PostgreSQL: what etcd gave it to prove itself is of the future now.
: >"/run/citusctl/patroni-anew-$RUN"
systemctl kill -s KILL --kill-who=main patroni.service 2>/dev/null || :
systemctl reset-failed patroni.service 2>/dev/null || :
systemctl start --no-block patroni.service
