# What the directory $DIR holds, by name, size and time.
listing() { (cd "$DIR" && find -L . -maxdepth 1 -name '*.deb' -printf '%f %s %T@\n' | sort); }
