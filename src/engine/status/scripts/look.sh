# What every host tells of itself. Needs `mark`.
mark clock; date +%s.%N
for u in etcd patroni pgbouncer haproxy vip-manager keepalived; do mark unit $u; systemctl is-active $u 2>&1; mark enabled $u; systemctl is-enabled $u 2>/dev/null; done
mark unit-files; t=$(systemctl show --property=Id,FragmentPath,DropInPaths etcd.service patroni.service pgbouncer.service haproxy.service vip-manager.service keepalived.service 2>/dev/null); printf '%s\n' "$t"
# Those that say which program runs, as whom, with what, and how it ends.
mark unit-heavy; printf '%s\n' "$t" | sed -n 's/^FragmentPath=//p; s/^DropInPaths=//p' | xargs -r grep -slE '^[[:space:]]*(Exec|Environment|User|Group|Kill|Restart|Type|RootDirectory|Capabilit|AmbientCapabilit)'
mark addresses; ip -o addr show 2>/dev/null
mark restore
cat /etc/citusctl/restore 2>/dev/null
mark restore-prepared
for dir in /var/lib/citusctl/restore/*; do case $dir in *@*) ;; *) if [ -e "$dir/chosen" ] && [ ! -e "$dir/stopped" ]; then echo "${dir##*/}"; fi ;; esac; done
mark emergency; cat /etc/citusctl/emergency.json 2>/dev/null
mark authority; cat /pg/cert/ca.crt /etc/etcd/ca.crt 2>/dev/null
mark certificate etcd; cat /etc/etcd/server.crt 2>/dev/null
mark certificate postgres; cat /pg/cert/server.crt 2>/dev/null
