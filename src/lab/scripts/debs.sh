# The package directory: everything that PACKAGES need beyond the base image, as a flat repository that an
# air-gapped host can use. Works in a throw-away overlay of the base image, so the image stays as it is.
#   DEBS       the directory; what it holds already is not downloaded again
#   SOURCES    the lines of sources.list
#   PACKAGES   names for the baked image; empty: only what is missing of EXTRA is added
#   EXTRA      names that are in no image, for runs that install something
overlay_root
mkdir -p "$DEBS/partial"
mount --bind "$DEBS" "$ROOT/srv/citusctl/debs"
enter_root
printf '%s\n' "$SOURCES" >"$ROOT/etc/apt/sources.list"
in_root apt-get -q update
available() {
    local package
    for package in "$@"; do
        if in_root apt-cache show --no-all-versions "$package" >/dev/null 2>&1; then
            echo "$package"
        else
            say "not in this suite: $package" >&2
        fi
    done
}
# shellcheck disable=SC2086
mapfile -t names < <(available $PACKAGES)
# shellcheck disable=SC2086
mapfile -t extra < <(available $EXTRA)
available=("${names[@]}" "${extra[@]}")
say "downloading ${available[*]}"
in_root apt-get -qy -o Dir::Cache::archives=/srv/citusctl/debs install --download-only "${available[@]}"
in_root apt-get -qy install apt-utils
say "indexing $(find "$DEBS" -maxdepth 1 -name '*.deb' | wc -l) packages"
in_root sh -c 'cd /srv/citusctl/debs && rm -rf partial lock Release &&
    apt-ftparchive packages . >.Packages && mv .Packages Packages && gzip -9kf Packages &&
    apt-ftparchive release . >.Release && mv .Release Release'
[ ${#names[@]} = 0 ] || printf '%s\n' "${names[@]}" >"$DEBS/NAMES"
printf '%s' "$EXTRA" >"$DEBS/EXTRA"
