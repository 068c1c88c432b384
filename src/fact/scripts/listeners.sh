# Who listens: `ss`, then two processes for all listeners together. Needs `mark`.
mark listeners
if command -v ss >/dev/null; then
  l=$(ss -Hltnp 2>/dev/null); printf '%s\n' "$l"; r=$l; p=' '
  while case $r in *pid=*) : ;; *) ! : ;; esac; do r=${r#*pid=}; i=${r%%[!0-9]*}; case $p in *" $i "*) ;; *) p="$p$i " ;; esac; done
  set --; c=; for i in $p; do set -- "$@" "/proc/$i/cwd"; c="$c /proc/$i/cmdline"; done
  mark processes
  if [ $# -gt 0 ]; then stat -c %N -- "$@" 2>/dev/null; grep -azH '' $c 2>/dev/null | tr '\0\n' '\n '; printf '\n'; fi
fi
