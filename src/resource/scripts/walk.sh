# Who else than root can change what lies at a path. Root never follows a link, writes, or sets attributes where another account could put
# something else in the way between a look and an act: that is done as the account, which gains nothing by it.

ME=$(id -u)
# unsafe WORDS: ends the step.
unsafe() {
  printf '%s\n' "$*" >&2
  exit 1
}
# judge UID MODE OWNER GROUP: notes who can write to the directory AT, which somebody is about to enter.
judge() {
  SHARED=
  if [ "$1" != "$WHO" ] && [ "$WHO" = 0 ]; then WHO=$1 WHOM=$3 HOLDER=${AT:-/}; fi
  case $2 in
  *[2367]) SHARED=everybody ;;
  *[2367]?) [ "$4" = "$3" ] || [ "$4" = root ] || SHARED="the group $4" ;;
  esac
  case $2 in [1357]???) ;; *) LOOSE=${LOOSE:-$SHARED} ;; esac
  [ -z "$SHARED" ] || [ "$WHO" = 0 ] || [ "$1" != "$WHO" ] ||
    unsafe "\`${AT:-/}\` belongs to $WHOM, and $SHARED can write to it as well: take that away (\`chmod go-w ${AT:-/}\`), then run the same command again"
}
# walk DIR: follows links only where root alone can put one. Sets AT (the directory without links, as far as it is there; empty: /), LEFT (what
# is not there of it), WHO and WHOM (the account as which everything below is done: root, or the owner of HOLDER, the first directory on the way that is not
# root's), SHARED (who else can
# write to AT, where that is root's), LOOSE (who else can put another directory in the place of one on the way).
walk() {
  AT='' LEFT=${1#/} WHO=0 WHOM=root HOLDER=/ LOOSE='' HOPS=0
  # shellcheck disable=SC2046
  judge $(stat -c '%u %a %U %G' /)
  while [ -n "$LEFT" ]; do
    PART=${LEFT%%/*}
    case $LEFT in */*) REST=${LEFT#*/} ;; *) REST='' ;; esac
    case $PART in
    '' | .) LEFT=$REST; continue ;;
    ..)
      AT=${AT%/*} LEFT=$REST
      # shellcheck disable=SC2046
      judge $(stat -c '%u %a %U %G' "${AT:-/}")
      continue ;;
    esac
    FOUND=$(stat -c '%u %a %U %G %F' -- "$AT/$PART" 2>/dev/null) || return 0
    # shellcheck disable=SC2086
    set -- $FOUND
    case $5 in
    symbolic)
      no_link "$AT/$PART"
      TO=$(readlink -- "$AT/$PART")
      case $TO in /*) AT='' ;; esac
      LEFT=${TO#/}${REST:+/$REST} ;;
    directory)
      AT=$AT/$PART LEFT=$REST
      judge "$@" ;;
    *) unsafe "\`$AT/$PART\` is not a directory: move it away, then run the same command again" ;;
    esac
  done
}
# no_link PATH: a link in AT that others than root may have put there is not followed.
no_link() {
  HOPS=$((HOPS + 1))
  [ $HOPS -le 20 ] || unsafe "\`$1\` is a link that leads to itself"
  [ -z "$SHARED$LOOSE" ] || unsafe "\`$1\` is a link (to \`$(readlink -- "$1")\`), and ${SHARED:-$LOOSE} can put one there: it is not followed. Remove it, or let root alone write to the directories that lead there, then run the same command again"
  [ "$WHO" = 0 ] || unsafe "\`$1\` is a link (to \`$(readlink -- "$1")\`), and $WHOM, who owns \`$HOLDER\`, can put one there: it is not followed. Remove it, or give \`$HOLDER\` to root, then run the same command again"
}
# pin: goes to AT and holds it: what becomes of its path does not matter any more to who works on names in it.
pin() {
  WAS=$WHO-$SHARED
  cd -P -- "${AT:-/}" || unsafe "\`${AT:-/}\` cannot be entered"
  # shellcheck disable=SC2046
  judge $(stat -c '%u %a %U %G' .)
  [ "$(pwd -P)" = "${AT:-/}" ] && [ "$WAS" = "$WHO-$SHARED" ] || unsafe "\`${AT:-/}\` was replaced by another directory just now: nothing was done to it"
}
# as_owner COMMAND...: as the account that can change the directory anyway.
as_owner() {
  if [ "$WHO" = "$ME" ]; then
    "$@"
    return
  fi
  setpriv --reuid "$WHOM" --regid "$(id -g -- "$WHOM")" --init-groups -- "$@"
}
# file_at FILE: goes to the directory of a file, or of what root's links lead to from there. Sets NAME; LEFT is not empty where the directory is not there.
file_at() {
  FILE=$1 LINKED=''
  while :; do
    NAME=${FILE##*/}
    walk "${FILE%/*}"
    [ -z "$LEFT" ] || break
    pin
    [ -L "./$NAME" ] || break
    no_link "$AT/$NAME"
    LINKED=$AT/$NAME TO=$(readlink -- "./$NAME")
    case $TO in /*) FILE=$TO ;; *) FILE=$AT/$TO ;; esac
  done
  [ -n "$LINKED" ] || return 0
  [ -z "$LEFT" ] && [ -e "./$NAME" ] || unsafe "\`$1\` is a link to \`$FILE\`, which is not there: remove the link, then run the same command again"
  [ "$WHO" = 0 ] && [ -z "$SHARED" ] ||
    unsafe "\`$1\` is a link to \`$FILE\`, and ${SHARED:-$WHOM} can write to \`${AT:-/}\`: it is not edited there. Put a file in the place of the link, then run the same command again"
}
# show FILE: `there` and what is in it, or `absent`, or why it must not be looked at.
show() {
  file_at "$1"
  if [ -n "$LEFT" ] || [ ! -e "./$NAME" ]; then
    echo absent
    return 0
  fi
  [ -f "./$NAME" ] || unsafe "\`$1\` is not a regular file"
  echo there
  as_owner head -c 1048576 -- "./$NAME"
}
