# Functions on etcd: for scripts of roles, which include this file, and for looks, gates and runbooks, which have it built
# in. Who includes it defines `etcd_ctl_at URL ...`: etcdctl as root. URL is a member that lives.

# With the certificate of this host's member alone, which reads no key.
etcd_plain() {
  etcd_at=$1
  shift
  ETCDCTL_API=3 etcdctl --command-timeout=4s --dial-timeout=2s --cacert=/etc/etcd/ca.crt --cert=/etc/etcd/server.crt --key=/etc/etcd/server.key --endpoints="$etcd_at" "$@"
}
# The first text or number of a key in JSON.
json_text() { tr -d '\n' | sed -n "s/.*\"$1\": *\"\{0,1\}\([^\",}]*\).*/\1/p"; }
# etcd refuses for some seconds after a change, and a learner that has not caught up yet.
etcd_retry() {
  end=$(($(date +%s) + ${PATIENCE:-60}))
  until said=$("$@" 2>&1); do
    [ "$(date +%s)" -lt $end ] || { printf '%s\n' "$said" | tail -n 1 >&2; exit 1; }
    sleep 0.3
  done
}
# Whoever is no member may lose its data: a list that does not come is no answer, and ends the script.
etcd_members() { etcd_retry etcd_ctl_at "$1" member list; printf '%s\n' "$said" | grep -E '^[0-9a-f]+, '; }
etcd_entry() { # URL PEER: the line of the member with that address, if there is one
  all=$(etcd_members "$1") || exit 1
  printf '%s\n' "$all" | grep -F ", $2," || :
}
# How many have a vote, and how many of them are alive. A member that was never started is waited for in every vote, too.
etcd_quorum() {
  list=$(etcd_ctl_at "$1" member list) || return 1
  voters=$(printf '%s\n' "$list" | grep -cE '^[0-9a-f]+, .*, false$') || :
  urls=$(printf '%s\n' "$list" | grep ', false$' | cut -d, -f5 | tr -d ' ' | grep . | paste -s -d, -) || :
  alive=$(etcd_plain "$urls" endpoint health 2>&1 | grep -c 'is healthy') || :
  echo "$voters $alive"
}
# With passwords on, only the leader itself can promote a learner: a follower forwards the request without them.
etcd_leader_url() {
  for url in $(etcd_ctl_at "$1" member list | cut -d, -f5); do
    found=$(etcd_plain "$url" endpoint status -w json 2>/dev/null) || continue
    [ "$(printf %s "$found" | json_text member_id)" != "$(printf %s "$found" | json_text leader)" ] || { echo "$url"; return 0; }
  done
}
etcd_promote() { # URL PEER: a learner gets its vote
  entry=$(etcd_entry "$1" "$2")
  case $entry in *', true')
    leader=$(etcd_leader_url "$1")
    etcd_retry etcd_ctl_at "${leader:-$1}" member promote "${entry%%,*}" ;;
  esac
}
etcd_joining() { # URL NAME PEER FILE: that configuration for the first start of a member that joins
  all=$(etcd_members "$1")
  cluster=$(printf '%s\n' "$all" | awk -F', ' -v me="$3" -v name="$2" '{ n = $4 == me ? name : $3; printf "%s%s=%s", sep, n, $4; sep = "," }')
  sed -e "s#^initial-cluster:.*#initial-cluster: $cluster#" -e 's/^initial-cluster-state:.*/initial-cluster-state: existing/' "$4"
}
etcd_uncounted() { echo "the cluster counts $1, and its data is not here: \`citusctl etcd add $1\` puts a new member in its place"; }
# Whether anybody is at an address, and how that shows: who refuses a connection is somebody.
host_answers() { # ADDRESS PORT...
  at=$1
  shift
  answered=$(
    for port in "$@"; do
      (
        if said=$(LC_ALL=C timeout 3 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$at" "$port" 2>&1); then echo "port $port"
        else case $said in *refused*) echo "it refuses port $port" ;; esac fi
      ) &
    done
    wait
  )
  answered=${answered%%
*}
  [ -n "$answered" ] && printf '%s\n' "$answered"
}
url_address() { printf '%s\n' "$1" | sed 's#^[a-z]*://\[\{0,1\}\([^]]*\)\]\{0,1\}:[0-9]*$#\1#'; }
# A member of the same NAME at another address than PEER.
etcd_elsewhere() { # URL NAME PEER
  all=$(etcd_members "$1") || exit 1
  printf '%s\n' "$all" | grep -F ", $2, " | grep -vF ", $3," || :
}
# Takes a dead member out of the list, so that its place can be taken. It is dead: nobody is at its address, or that is this
# host's own (PEER) and there is no data here. A majority must be left without it.
etcd_displace() { # URL LINE PEER
  id=${2%%,*}
  theirs=$(printf '%s\n' "$2" | cut -d, -f4 | tr -d ' ')
  if [ "$theirs" != "$3" ]; then
    address=$(url_address "$theirs")
    if who=$(host_answers "$address" 22 "${theirs##*:}"); then
      echo "the member of this name at $address is not gone ($who): switch it off, or take it out with \`citusctl etcd remove $id\`"
      exit 1
    fi
  fi
  if etcd_plain "$(printf '%s\n' "$2" | cut -d, -f5 | tr -d ' ')" endpoint health >/dev/null 2>&1; then
    echo "member $id at $theirs is alive"
    exit 1
  fi
  quorum=$(etcd_quorum "$1")
  case $2 in *', true') left=${quorum% *} ;; *) left=$((${quorum% *} - 1)) ;; esac
  [ "${quorum#* }" -ge $((left / 2 + 1)) ] || { echo "etcd has ${quorum% *} with a vote, ${quorum#* } alive: without the dead one no majority would be left"; exit 1; }
  PATIENCE=20 etcd_retry etcd_ctl_at "$1" member remove "$id"
}
