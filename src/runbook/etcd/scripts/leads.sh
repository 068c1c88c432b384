[ -e "/run/citusctl/patroni-anew-$RUN" ] || { echo 'Patroni is still the old one'; false; }
writes=$(sql postgres 'SELECT NOT pg_is_in_recovery()' 2>/dev/null) || :
[ "$writes" = t ] || { echo "$MEMBER takes no writes yet"; false; }
systemctl is-active -q patroni || { echo 'Patroni does not run yet'; false; }
