# The baked image: the database packages on top of the base image, installed from the package directory alone
# (this script runs without a network), nothing configured, nothing enabled: the product owns all of that.
#   DEBS       the package directory
overlay_root
mount --bind "$DEBS" "$ROOT/srv/citusctl/debs"
enter_root
printf '%s\n' "$REPOSITORY" >"$ROOT/etc/apt/sources.list"
mkdir -p "$ROOT/etc/postgresql-common"
printf 'create_main_cluster = false\n' >"$ROOT/etc/postgresql-common/createcluster.conf"
in_root apt-get -q update
say "installing"
xargs -a "$DEBS/NAMES" chroot "$ROOT" apt-get -qy -o Dpkg::Options::=--force-confold install
for unit in etcd patroni pgbouncer haproxy vip-manager keepalived postgresql; do
    if in_root systemctl list-unit-files "$unit.service" >/dev/null 2>&1; then
        in_root systemctl --quiet disable "$unit.service" || say "could not disable $unit"
    fi
done
leave_root
umount "$ROOT/srv/citusctl/debs"
