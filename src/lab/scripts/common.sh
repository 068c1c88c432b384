# Shared by the image scripts, which the lab runs with bash in a mount and process namespace of their own:
# whatever they mount is gone when they end, however they end.
#   ROOT       the directory that becomes, or is, the root of the image
#   APT_CONF   apt options of this machine to carry over (proxies), one `Key "value";` a line
#   PACKAGES   names, separated by blanks
set -euo pipefail
umask 022
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

say() { echo "lab: $*"; }

# Makes ROOT fit for chroot: the kernel's file systems, name resolution, apt options, and no service starts.
enter_root() {
    mount -t proc proc "$ROOT/proc"
    mount --bind /dev "$ROOT/dev"
    cp -L /etc/resolv.conf "$ROOT/etc/resolv.conf"
    printf '%s\n' "${APT_CONF:-}" 'Acquire::Languages "none";' 'APT::Install-Recommends "false";' \
        'APT::Sandbox::User "root";' 'Dpkg::Use-Pty "false";' >"$ROOT/etc/apt/apt.conf.d/90lab-build"
    printf '#!/bin/sh\nexit 101\n' >"$ROOT/usr/sbin/policy-rc.d"
    chmod 755 "$ROOT/usr/sbin/policy-rc.d"
}

# Undoes enter_root and leaves no package source behind: lab hosts have no way out.
leave_root() {
    umount "$ROOT/dev" "$ROOT/proc"
    rm -f "$ROOT/etc/apt/apt.conf.d/90lab-build" "$ROOT/usr/sbin/policy-rc.d" "$ROOT/etc/resolv.conf"
    rm -rf "$ROOT"/var/lib/apt/lists/* "$ROOT"/var/cache/apt/* "$ROOT"/etc/apt/sources.list.d/* \
        "$ROOT"/var/log/apt "$ROOT"/var/log/dpkg.log "$ROOT"/var/log/alternatives.log "$ROOT"/tmp/*
    : >"$ROOT/etc/apt/sources.list"
}

in_root() { chroot "$ROOT" "$@"; }

# Mounts LOWER with the writable UPPER and WORK beside it at ROOT.
overlay_root() {
    mkdir -p "$UPPER" "$WORK" "$ROOT"
    mount -t overlay overlay -o "lowerdir=$LOWER,upperdir=$UPPER,workdir=$WORK" "$ROOT"
}
