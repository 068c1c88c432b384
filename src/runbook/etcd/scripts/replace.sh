# What a living member says: the list, who is alive, and whether anybody is where a member of a name was.
etcd_ctl_at() { etcd_plain "$@"; }
in_place_of() { # NAME PEER
  other=$(etcd_elsewhere "$LIVING_URL" "$1" "$2" | cut -d, -f4 | tr -d ' ')
  if [ -n "$other" ]; then at=$(url_address "$other"); printf 'at %s %s %s\n' "$1" "$at" "$(host_answers "$at" 22 "${other##*:}")"; fi
}
list=$(etcd_plain "$LIVING_URL" member list) || exit 3
printf '%s\n' "$list" | sed 's/^/member /'
printf 'quorum %s\n' "$(etcd_quorum "$LIVING_URL")"
