# A new etcd has no configuration of the group, and Patroni would take the one in the backup: it gets what a bootstrap would
# give it. Where etcd has one, that one counts. STATE is given.
[ ! -e "$STATE/empty" ] || as_dbsu python3 -c '
import json, sys, yaml
dcs = yaml.safe_load(open(sys.argv[1]))["bootstrap"]["dcs"]
json.dump(dcs, open(sys.argv[2], "w"))' /etc/patroni/citusctl.yml "$PG_DATA/patroni.dynamic.json"
: >"$STATE/configured"
