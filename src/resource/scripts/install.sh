# Installs the packages "$@".
command -v apt-get >/dev/null || { echo "no apt-get here: only Debian and its kin are supported"; exit 1; }
export DEBIAN_FRONTEND=noninteractive
known() { for p in "$@"; do apt-cache policy -- "$p" 2>/dev/null | grep -q '^  Candidate: [^(]' || return 1; done; }
known "$@" || apt-get -q update
policy=/usr/sbin/policy-rc.d conf=/etc/postgresql-common/createcluster.conf held=
restore() { [ -z "$held" ] || rm -f "$policy"; [ ! -e "$conf.citusctl" ] || mv -f "$conf.citusctl" "$conf"; }
trap restore EXIT
# What is marked as ours was left by a run that was killed.
if [ ! -e "$policy" ] || grep -qsx '# citusctl' "$policy"; then
  held=1; printf '#!/bin/sh\n# citusctl\nexit 101\n' >"$policy"; chmod 0755 "$policy"
fi
# No package makes a cluster, whatever was configured before; that comes back afterwards. Nor does needrestart restart anything.
export NEEDRESTART_SUSPEND=1
mkdir -p "${conf%/*}"
[ ! -e "$conf.citusctl" ] || mv -f "$conf.citusctl" "$conf"
if [ ! -e "$conf" ]; then echo 'create_main_cluster = false' >"$conf"
elif [ "$(sed -n "s/^[[:space:]]*create_main_cluster[[:space:]]*=*[[:space:]]*'\{0,1\}\([a-z0-9]*\).*/\1/p" "$conf" | tail -n 1)" != false ]; then
  cp -p "$conf" "$conf.citusctl"
  { grep -v '^[[:space:]]*create_main_cluster' "$conf.citusctl" || :; echo 'create_main_cluster = false'; } >"$conf"
fi
apt-get -q -y -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold -o DPkg::Lock::Timeout=120 \
  install --no-install-recommends -- "$@" && exit 0
failed=$?
for p in "$@"; do
  known "$p" || echo "no repository of this host has $p: name one that has it in \`node_repos\`"
done
free=$(df -Pm /var/cache/apt | awk 'NR == 2 { print $4 }')
[ "${free:-1000}" -ge 200 ] || echo "only $free MiB are free below /var: make room there"
exit "$failed"
