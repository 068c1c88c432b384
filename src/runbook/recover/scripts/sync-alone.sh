# Whether commits of the group wait for standbys that are lost. ME is the only member left; PREFIX, OWN as for the guard.
sync=$(etcd_ctl get --print-value-only "${PREFIX}sync")
leader=$(printf %s "$sync" | json_text leader)
case $leader in '' | null) exit 0 ;; esac
# Of another group only its own leader may be told so: whether a standby may lead is Patroni's to say.
if [ "$OWN" = 0 ] && [ "$leader" != "$ME" ]; then exit 0; fi
standbys=$(printf %s "$sync" | sed -n 's/.*"sync_standby": *"\([^"]*\)".*/\1/p')
if [ "$leader" != "$ME" ] || [ -n "$standbys" ]; then
  echo "commits wait for ${standbys:-$leader}"
  exit 1
fi
