# Whether the index in $INDEX is of what the directory $DEBS holds now: `absent`, `open FILE`, `same`, `differs N`.
[ -d "$DEBS" ] || { echo absent; exit 0; }
open=$(find -L "$DEBS" -maxdepth 1 \( -path "$DEBS" -o -name '*.deb' \) \( ! -user root -o -perm /022 \) -print -quit)
[ -z "$open" ] || { echo "open $open"; exit 0; }
if [ -e "$INDEX/Packages" ] && listing | cmp -s - "$INDEX/listing"; then echo same; else echo "differs $(listing | wc -l)"; fi
