# The copy of a group's data that a restore makes beside the data directory. POINT and STATE are given.
real=$(readlink -f "$PG_DATA")
copy="$real.restoring-$POINT" aside="$real.before-$POINT"
timeline_of() { LC_ALL=C as_dbsu "$PG_BIN/pg_controldata" -D "$1" 2>/dev/null | sed -n "s/^Latest checkpoint's TimeLineID: *//p"; }
history_of() { printf '%08X.history' "$1"; }
# Ends the step with the cause, and with what it means for the formation.
unproved() { # CAUSE
  if [ -e "$STATE/stopped" ]; then
    echo "$1; run the same command again, or \`citusctl restore undo\` puts the old data back"
  else
    echo "$1; nothing was stopped: \`citusctl restore\` can go to another point at once, \`citusctl restore undo\` removes what was restored beside the data"
  fi
  exit 1
}
# Whether the number of the copy's timeline is in use here: the group has promoted since. Prints by whom.
number_taken() {
  number=$(timeline_of "$copy")
  [ -n "$number" ] || return 1
  for data in "$real" "$aside"; do
    as_dbsu test -e "$data/PG_VERSION" || continue
    if [ "$(timeline_of "$data")" = "$number" ] || as_dbsu test -e "$data/pg_wal/$(history_of "$number")"; then
      echo "a member was promoted while the copy was made: timeline $number of the copy is used by $data"
      return 0
    fi
  done
  return 1
}
# The same of the repository; 2: it could not be asked.
number_archived() { # STANZA
  number=$(timeline_of "$copy") asked=0
  said=$(as_dbsu timeout 60 /usr/bin/pgbackrest --stanza="$1" --pg1-path="$copy" --log-level-console=off --log-level-stderr=error archive-get "$(history_of "$number")" "$copy/history.asked" 2>&1) || asked=$?
  as_dbsu rm -f "$copy/history.asked"
  case $asked in
  0) echo "a member was promoted while the copy was made: timeline $number of the copy is in the repository"; return 0 ;;
  1) return 1 ;;
  *) echo "whether timeline $number of the copy is in the repository is not known: $(printf '%s\n' "$said" | tail -n 1)"; return 2 ;;
  esac
}
# Removes a copy, and ends the server that an interrupted run may have left in it.
remove_copy() { # DIRECTORY
  if as_dbsu "$PG_BIN/pg_ctl" -D "$1" status >/dev/null 2>&1; then as_dbsu "$PG_BIN/pg_ctl" -D "$1" -m immediate -t 60 stop >/dev/null; fi
  as_dbsu rm -rf --one-file-system -- "$1"
}
