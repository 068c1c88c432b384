# The base image: a minimal system with systemd and sshd, as a provider would hand over a machine.
#   SUITE      trixie, bookworm
#   MIRROR     where debootstrap gets it from
#   SOURCES    the lines of sources.list, with updates and security
say "debootstrap $SUITE"
debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,openssh-server,sudo,iproute2,procps,ca-certificates \
    "$SUITE" "$ROOT" "$MIRROR"

# Documentation is of no use in a lab and a third of the image.
printf 'path-exclude=/usr/share/%s/*\n' doc man info locale lintian >"$ROOT/etc/dpkg/dpkg.cfg.d/90lab"
rm -rf "$ROOT"/usr/share/{doc,man,info,locale,lintian}/*

enter_root
printf '%s\n' "$SOURCES" >"$ROOT/etc/apt/sources.list"
say "security updates"
in_root apt-get -q update
in_root apt-get -qy dist-upgrade

in_root useradd --create-home --shell /bin/bash dba
printf 'dba ALL=(ALL) NOPASSWD:ALL\n' >"$ROOT/etc/sudoers.d/dba"
chmod 440 "$ROOT/etc/sudoers.d/dba"

# Every host gets its own keys and identity when the lab makes it.
rm -f "$ROOT"/etc/ssh/ssh_host_*
: >"$ROOT/etc/machine-id"
printf 'UseDNS no\nGSSAPIAuthentication no\nMaxStartups 100:30:200\n' >"$ROOT/etc/ssh/sshd_config.d/lab.conf"
mkdir -p "$ROOT/srv/citusctl/debs" "$ROOT/var/log/journal"
# Nothing here may wait for a network, a disk or a console that a lab host does not have.
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer \
    systemd-networkd.service systemd-networkd-wait-online.service systemd-resolved.service \
    systemd-timesyncd.service console-getty.service e2scrub_reap.service; do
    ln -sf /dev/null "$ROOT/etc/systemd/system/$unit"
done
leave_root
