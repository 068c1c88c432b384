# The package directory: everything that PACKAGES need beyond the base image, as a flat repository that an
# air-gapped host can use. Works in a throw-away overlay of the base image, so the image stays as it is.
#   DEBS       the directory; what it holds already is not downloaded again
#   SOURCES    the lines of sources.list
overlay_root
mkdir -p "$DEBS/partial"
mount --bind "$DEBS" "$ROOT/srv/citusctl/debs"
enter_root
printf '%s\n' "$SOURCES" >"$ROOT/etc/apt/sources.list"
in_root apt-get -q update
available=()
for package in $PACKAGES; do
    if in_root apt-cache show --no-all-versions "$package" >/dev/null 2>&1; then
        available+=("$package")
    else
        say "not in this suite: $package"
    fi
done
say "downloading ${available[*]}"
in_root apt-get -qy -o Dir::Cache::archives=/srv/citusctl/debs install --download-only "${available[@]}"
in_root apt-get -qy install apt-utils
say "indexing $(find "$DEBS" -maxdepth 1 -name '*.deb' | wc -l) packages"
in_root sh -c 'cd /srv/citusctl/debs && rm -rf partial lock Release &&
    apt-ftparchive packages . >.Packages && mv .Packages Packages && gzip -9kf Packages &&
    apt-ftparchive release . >.Release && mv .Release Release'
printf '%s\n' "${available[@]}" >"$DEBS/NAMES"
