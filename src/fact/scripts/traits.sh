# What a host is. Needs `mark` and DATA.
mark traits
[ -r /etc/os-release ] && . /etc/os-release; printf 'os_id %s\nos_version %s\n' "${ID:-}" "${VERSION_ID:-}"
uname -mn | { read -r n m; printf 'machine %s\nhostname %s\n' "$m" "$n"; }
printf 'cpus '; nproc
while read -r k v _; do [ "$k" = MemTotal: ] && printf 'mem_kb %s\n' "$v"; done </proc/meminfo
date '+clock %s.%N'
d=$DATA; while [ ! -d "$d" ] && [ "$d" != / ]; do d=${d%/*}; d=${d:-/}; done
df -Pk "$d" | { read -r _; read -r _ total _ free _; printf 'disk_kb %s\ndisk_free_kb %s\n' "$total" "$free"; }
