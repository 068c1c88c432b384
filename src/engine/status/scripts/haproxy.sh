# What HAProxy reads and has read. A worker reads the files once, when it begins; `ps` counts whole seconds. Needs `mark`.
mark haproxy
for f in /etc/haproxy/conf.d/*; do
  [ -e "$f" ] && ! cut -d' ' -f2- /etc/citusctl/manifest 2>/dev/null | grep -qxF -- "$f" && printf 'foreign %s\n' "$f"
done
p=$(systemctl show -P MainPID haproxy 2>/dev/null); a=; [ "${p:-0}" != 0 ] && a=$(ps -o etimes= --ppid "$p" | sort -n | head -n 1)
w=$(stat -c %Y /etc/haproxy/haproxy.cfg /etc/haproxy/conf.d/*.cfg 2>/dev/null | sort -n | tail -n 1)
[ -n "$a" ] && [ -n "$w" ] && [ "$w" -gt $(($(date +%s) - a + 2)) ] && echo stale
[ ! -x /etc/haproxy/server-states ] || timeout 5 /etc/haproxy/server-states drift 2>/dev/null | sed 's/^/drift /'
