# What citusctl keeps on a host. Needs `mark` and STATE.
mark stamps
for f in "$STATE"/stamps/*; do [ -f "$f" ] && { printf '= %s\n' "${f##*/}"; while read -r l || [ -n "$l" ]; do printf '%s\n' "$l"; done <"$f"; }; done
mark manifest
[ -f "$STATE/manifest" ] && while read -r l || [ -n "$l" ]; do printf '%s\n' "$l"; done <"$STATE/manifest"
mark emergency
[ -f "$STATE/emergency.json" ] && cat "$STATE/emergency.json"
mark restoring
[ -f "$STATE/restore" ] && cat "$STATE/restore"
