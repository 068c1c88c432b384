# Whether the index in $AT is of what the directory $DIR holds now: `absent`, `open FILE`, `same`, `differs N`.
[ -d "$DIR" ] || { echo absent; exit 0; }
open=$(find -L "$DIR" -maxdepth 1 \( -path "$DIR" -o -name '*.deb' \) \( ! -user root -o -perm /022 \) -print -quit)
[ -z "$open" ] || { echo "open $open"; exit 0; }
if [ -e "$AT/Packages" ] && listing | cmp -s - "$AT/listing"; then echo same; else echo "differs $(listing | wc -l)"; fi
