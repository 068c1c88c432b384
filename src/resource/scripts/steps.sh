
# alone PATH OWNER: a file can be put into AT without that anybody else puts something in its way.
alone() {
  [ -z "$SHARED" ] || unsafe "$SHARED can write to \`${AT:-/}\`: $1 is not put there. Take that away (\`chmod go-w ${AT:-/}\`), then run the same command again"
  [ "$WHO" = 0 ] || [ "$(id -u -- "$2")" = "$WHO" ] ||
    unsafe "$1 is to belong to $2, and $WHOM, who owns \`$HOLDER\`, could replace it: give \`$HOLDER\` to root, or $1 to $WHOM"
}
# into DIR: goes there; what is missing is made as the account that owns what is there.
into() {
  walk "${1:-/}"
  make_missing
}
make_missing() {
  pin
  while [ -n "$LEFT" ]; do
    PART=${LEFT%%/*}
    case $LEFT in */*) LEFT=${LEFT#*/} ;; *) LEFT='' ;; esac
    [ -n "$PART" ] || continue
    as_owner mkdir -- "./$PART"
    AT=$AT/$PART SHARED=''
    pin
  done
}
# shelf PATH: the directory of PATH below KEPT, which is root's alone; nothing in it is followed.
shelf() {
  (
    umask 077
    set -f
    mkdir -p -- "$KEPT"
    cd -P -- "$KEPT" || exit 1
    IFS=/
    for PART in ${1%/*}; do
      [ -n "$PART" ] || continue
      [ ! -L "./$PART" ] || unsafe "\`$(pwd -P)/$PART\` is a link: nothing is kept there"
      [ -d "./$PART" ] || mkdir -- "./$PART"
      cd -P -- "./$PART" || exit 1
    done
  )
}
# keep_here PATH: saves what is about to be replaced, which is NAME where we are.
keep_here() {
  [ -e "./$NAME" ] || [ -L "./$NAME" ] || return 0
  shelf "$1"
  cp -aT --backup=numbered -- "./$NAME" "$KEPT$1"
}
# keep PATH: the same, from anywhere; nothing is deleted.
keep() (
  NAME=${1##*/}
  walk "${1%/*}"
  [ -z "$LEFT" ] || exit 0
  pin
  keep_here "$1"
)
# move_aside PATH: it goes below KEPT.
move_aside() (
  NAME=${1##*/}
  walk "${1%/*}"
  [ -z "$LEFT" ] || exit 0
  pin
  [ -e "./$NAME" ] || [ -L "./$NAME" ] || exit 0
  alone "$1" "$WHOM"
  shelf "$1"
  mv -T --backup=numbered -- "./$NAME" "$KEPT$1"
)
# within DIR COMMAND...: runs a command in a directory, as the account that can change what is in it.
within() (
  walk "$1"
  [ -z "$LEFT" ] || unsafe "\`$1\` is not there"
  pin
  alone "$1" "$WHOM"
  shift
  as_owner "$@"
)
# beside PATH COMMAND...: runs a command on ./NAME in the directory of PATH, in the same way; nothing where it is not there.
beside() (
  NAME=${1##*/}
  walk "${1%/*}"
  [ -z "$LEFT" ] || exit 0
  pin
  [ -e "./$NAME" ] || [ -L "./$NAME" ] || exit 0
  alone "$1" "$WHOM"
  shift
  as_owner "$@" "./$NAME"
)
# copy_aside DIR: copies a directory below KEPT, as the account that it belongs to: nothing that this one cannot read gets into the copy.
copy_aside() (
  walk "$1"
  [ -z "$LEFT" ] || unsafe "\`$1\` is not there"
  pin
  shelf "$1"
  rm -rf -- "$KEPT$1"
  mkdir -m 0700 -- "$KEPT$1"
  cd -P -- "$KEPT$1" || exit 1
  chown "$WHO" .
  as_owner cp -a --sparse=always -- "$AT/." .
)
# copy_back FROM NAME DIR: copies NAME from FROM, which is root's, into a directory, as the account that it belongs to.
copy_back() (
  walk "$3"
  [ -z "$LEFT" ] || unsafe "\`$3\` is not there"
  pin
  cd -P -- "$1" || exit 1
  as_owner cp -aT -- "./$2" "$AT/$2"
)
# put_file PATH OWNER GROUP MODE SUFFIX [VALIDATOR]: a whole file, its content in base64 on standard input. The validator is shell text that finds it in
# $tmp. The suffix stays, because programs such as HAProxy look at it.
put_file() (
  NAME=${1##*/}
  into "${1%/*}"
  alone "$1" "$2"
  TMP=$(as_owner mktemp --suffix="$5" ./.citusctl-XXXXXXXX)
  trap 'as_owner rm -f -- "$TMP"' EXIT
  as_owner chmod 0600 "$TMP"
  if [ "$WHO" = 0 ]; then chown "$2:$3" "$TMP"; else as_owner chgrp "$3" "$TMP"; fi
  # shellcheck disable=SC2016
  as_owner sh -c 'base64 -d >"$1"' sh "$TMP"
  as_owner chmod "$4" "$TMP"
  if [ -n "${6:-}" ]; then
    tmp=$AT/${TMP#./}
    export tmp
    as_owner sh -ec "$6"
  fi
  keep_here "$1"
  as_owner sync -- "$TMP"
  as_owner mv -fT -- "$TMP" "./$NAME"
)
# put_dir PATH OWNER GROUP MODE: a directory, made where it is not there.
put_dir() (
  NAME=${1##*/}
  into "${1%/*}"
  FRESH=''
  if [ ! -e "./$NAME" ] && [ ! -L "./$NAME" ]; then
    [ "$WHO" = 0 ] || alone "$1" "$2"
    (umask 077; as_owner mkdir -- "./$NAME")
    FRESH=1
  fi
  if [ -L "./$NAME" ]; then
    no_link "$AT/$NAME"
    TO=$(readlink -f -- "./$NAME") && [ -d "$TO" ] || unsafe "\`$AT/$NAME\` is a link to no directory: remove it, then run the same command again"
    [ "${5:-}" != followed ] || unsafe "\`$AT/$NAME\` was replaced by a link just now: nothing was done to it"
    put_dir "$TO" "$2" "$3" "$4" followed
    exit
  fi
  [ -d "./$NAME" ] || unsafe "\`$AT/$NAME\` is not a directory: move it away, then run the same command again"
  cd -P -- "./$NAME" && [ "$(pwd -P)" = "$AT/$NAME" ] || unsafe "\`$AT/$NAME\` was replaced by another directory just now: nothing was done to it"
  IS=$(stat -c %u .)
  if [ "$WHO$SHARED" = 0 ] || { [ "$WHO" = 0 ] && [ "$IS" = 0 ] && [ -n "$FRESH" ]; }; then
    chown "$2:$3" .
    chmod "$4" .
  elif [ "$IS" = "$(id -u -- "$2")" ]; then
    WHO=$IS WHOM=$2
    as_owner chgrp "$3" .
    as_owner chmod "$4" .
  else
    unsafe "\`$AT/$NAME\` belongs to $(stat -c %U .), not to $2, and ${SHARED:-$WHOM} can put another directory in its place: \`chown -h $2:$3 $AT/$NAME\` by hand, then run the same command again"
  fi
)
# put_link PATH TO: a symbolic link. Only a link is replaced.
put_link() (
  NAME=${1##*/}
  into "${1%/*}"
  alone "$1" "$WHOM"
  [ -L "./$NAME" ] || [ ! -e "./$NAME" ] || unsafe "\`$1\` is not a link: move it away, then run the same command again"
  as_owner ln -sfnT -- "$2" "./$NAME.citusctl"
  as_owner mv -fT -- "./$NAME.citusctl" "./$NAME"
)
# put_block PATH NAME PLACE SEEN: our lines in a file that others write to as well, edited as it is now. The lines with their markers are on standard input
# in base64; none: the block goes. PLACE is `first` or `last`, SEEN the digest of what was
# between the markers when it was shown, or `any`.
put_block() (
  umask 077
  BLOCK=$2
  file_at "$1"
  if [ -n "$LEFT" ]; then (umask 022; make_missing); file_at "$1"; fi
  alone "$1" "$WHOM"
  WORK=$(mktemp -d)
  TMP=''
  trap '[ -z "$TMP" ] || as_owner rm -f -- "$TMP"; rm -rf -- "$WORK"' EXIT
  base64 -d >"$WORK/block"
  : >"$WORK/old"
  if [ -e "./$NAME" ]; then
    [ -f "./$NAME" ] || unsafe "\`$1\` is not a regular file"
    as_owner cat -- "./$NAME" >"$WORK/old"
  fi
  blocks "$WORK/old" "$BLOCK" inside >"$WORK/was"
  blocks "$WORK/old" "$BLOCK" "$3" "$WORK/block" >"$WORK/new"
  if cmp -s "$WORK/old" "$WORK/new"; then exit 0; fi
  [ "$4" = any ] || [ "$(sha256sum <"$WORK/was" | cut -c 1-64)" = "$4" ] ||
    unsafe "$1: somebody has changed the block \`$BLOCK\` since it was shown: nothing was written; run the same command again to see what is there now"
  TMP=$(as_owner mktemp ./.citusctl-XXXXXXXX)
  # shellcheck disable=SC2016
  as_owner sh -c 'cat >"$1"' sh "$TMP" <"$WORK/new"
  if [ -e "./$NAME" ]; then
    if [ "$WHO" = 0 ]; then chown --reference="./$NAME" "$TMP"; fi
    as_owner chmod --reference="./$NAME" "$TMP"
    keep_here "$1"
    as_owner cat -- "./$NAME" | cmp -s - "$WORK/old" || unsafe "$1 was changed by somebody else just now: run the same command again"
  else
    as_owner chmod 0644 "$TMP"
  fi
  as_owner sync -- "$TMP"
  as_owner mv -fT -- "$TMP" "./$NAME"
)
# blocks FILE NAME inside|first|last [BLOCK]: what is between the markers of a block, or the whole file with the lines of BLOCK in its place, or first.
blocks() {
  awk -v name="$2" -v what="$3" -v block="${4:-}" '
    BEGIN {
      while (block != "" && (getline line <block) > 0) text = text line "\n"
      if (what == "first") printf "%s", text
    }
    $0 == "# BEGIN citusctl " name { if (inside || seen) { bad = 1; exit }; inside = 1 }
    { if (inside) { if (what == "inside") print } else if (what != "inside") print }
    $0 == "# END citusctl " name && inside { inside = 0; seen = 1; if (what == "last") printf "%s", text; next }
    END {
      if (bad || inside) exit 1
      if (what == "last" && !seen) printf "%s", text
    }' "$1" || unsafe "$1: the block \`$2\` begins twice, or does not end: put its markers right by hand, then run the same command again"
}
own() {
  mkdir -p /etc/citusctl
  for line in "$@"; do
    grep -qxF -- "$line" /etc/citusctl/manifest 2>/dev/null || printf '%s\n' "$line" >>/etc/citusctl/manifest
  done
}
# forget ID: takes a resource out of all stamps: whoever has read it may have read something else.
forget() {
  for stamp in $(grep -lF -- " $1 " /etc/citusctl/stamps/* 2>/dev/null); do
    { grep -vF -- " $1 " "$stamp" || [ $? = 1 ]; } >"$stamp.new"
    mv -fT -- "$stamp.new" "$stamp"
  done
}
# still ID: a resource was written and means what it did: whoever has read it has read what is there now.
still() {
  for stamp in $(grep -lF -- " $1 " /etc/citusctl/stamps/* 2>/dev/null); do
    awk -v id="$1" -v now="@$(date +%s.%N)" '($1 == "restart" || $1 == "reload") && $2 == id && NF > 3 { $4 = now } { print }' "$stamp" >"$stamp.new"
    mv -fT -- "$stamp.new" "$stamp"
  done
}
disown() {
  { grep -vxF -- "$1" /etc/citusctl/manifest || [ $? = 1 ]; } >/etc/citusctl/manifest.new
  mv -fT -- /etc/citusctl/manifest.new /etc/citusctl/manifest
}
# put_stamp NAME LEFT...: what a unit or a command was started with, on standard input, and when. Lines that begin with one of LEFT stay as they are.
put_stamp() {
  mkdir -p /etc/citusctl/stamps
  stamp=/etc/citusctl/stamps/$1
  shift
  awk -v now="@$(date +%s.%N)" 'NF == 3 { $4 = now } { print }' >"$stamp.new"
  for line in "$@"; do
    [ ! -e "$stamp" ] || awk -v line="$line" '$1 " " $2 == line' "$stamp" >>"$stamp.new"
  done
  mv -fT -- "$stamp.new" "$stamp"
}
