# Whether root alone can change a file and the way there: `plain / /etc /etc/hosts`, the file last. One process.
plain() {
  FOUND=$(stat -c '%u %a %F' -- "$@" 2>/dev/null) || return 1
  while read -r WHO MODE KIND; do
    case $WHO.$MODE in 0.*[2367] | 0.*[2367]?) return 1 ;; 0.*) ;; *) return 1 ;; esac
    case $KIND in directory | 'regular file') LAST=$KIND ;; *) return 1 ;; esac
  done <<FOUND
$FOUND
FOUND
  [ "$LAST" = 'regular file' ]
}
