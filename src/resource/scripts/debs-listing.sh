# What the directory $DEBS holds, by name, size and time.
listing() { (cd "$DEBS" && find -L . -maxdepth 1 -name '*.deb' -printf '%f %s %T@\n' | sort); }
