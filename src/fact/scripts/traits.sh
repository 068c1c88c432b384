# What a host is. Needs `mark` and DATA.
mark traits
[ -r /etc/os-release ] && . /etc/os-release; printf 'os_id %s\nos_version %s\n' "${ID:-}" "${VERSION_ID:-}"
printf 'uname '; uname -mn
printf 'cpus '; nproc
while read -r k v _; do [ "$k" = MemTotal: ] && printf 'mem_kb %s\n' "$v"; done </proc/meminfo
date '+clock %s.%N'
read -r up _ </proc/uptime; printf 'uptime %s\n' "$up"
d=$DATA; while [ ! -d "$d" ] && [ "$d" != / ]; do d=${d%/*}; d=${d:-/}; done
printf 'df '; df -k --output=size,avail -- "$d"
