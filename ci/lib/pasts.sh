# shellcheck shell=bash
# What scripts about strangers share: a host's state before and after a refusal. Sourced after ci/lib/lab.sh.
: "${host:=10.10.10.10}"

install() { # PACKAGE...
  on "$host" "export DEBIAN_FRONTEND=noninteractive; apt-get -q -y install --no-install-recommends $* 2>&1 | tail -n 3"
}
# What a refusal must leave: the data of the stranger, and whatever we would have made.
same() { # COMMAND... runs it, and compares before and after
  local before after
  before="$(state)"
  "$@" || return 1
  after="$(state)"
  [ "$before" = "$after" ] || {
    diff <(echo "$before") <(echo "$after")
    return 1
  }
}
state() {
  # Without what an etcd and a Patroni that run write by themselves. Data of servers that run is compared as a dump, data of others by file.
  on "$host" 'cd /; moves=^$; systemctl is-active -q etcd && moves="^/data/etcd/member/\|/log/"
    for s in /var/run/postgresql/.s.PGSQL.*[0-9]; do [ -S "$s" ] || continue; echo "$s"; runuser -u postgres -- pg_dumpall -p "${s##*.}" 2>/dev/null | grep -v "^.\(un\)\?restrict" | sha256sum; done
    find /etc/postgresql /etc/patroni /etc/haproxy /etc/pgbouncer /etc/etcd /etc/keepalived /etc/default /etc/systemd /etc/citusctl /etc/postgresql-common /data -type f 2>/dev/null | grep -v "$moves" | sort | xargs -r sha256sum
    [ -e /var/lib/postgresql/17/main/postmaster.pid ] || find /var/lib/postgresql -type f | sort | xargs -r sha256sum | sha256sum
    ls -ld /pg 2>&1; ps -eo pid,comm | grep -E "etcd|patroni|haproxy|pgbouncer|keepalived"
    getent passwd | sha256sum; systemctl list-unit-files --state=enabled --no-legend | sort'
}
refused() { # WORDS: apply says so with 4, and nothing changes
  says 4 "$1" c apply -y "${given[@]}" && grep -q "nothing was changed" "$work/said"
}
given=()
# A configuration of somebody else's; what was there comes back.
foreign() { # NAME PATH TEXT WORDS
  local name="$1" path="$2" text="$3" words="$4"
  on "$host" "mkdir -p ${path%/*}; [ ! -e $path ] || cp -p $path /root/kept; printf '$text' >$path" >/dev/null
  check "$name" same refused "$words"
  on "$host" "rm -f $path; rmdir -p --ignore-fail-on-non-empty ${path%/*} 2>/dev/null; [ ! -e /root/kept ] || mv /root/kept $path" >/dev/null
}
