# Prints the bytes of a segment, and which segments the repository holds: TIMELINE+LOG (16 digits), the first and the last
# number of each row without a gap. Nothing where the repository cannot be read. STANZA is given.
segments() {
  kept=$(as_dbsu timeout 25 /usr/bin/pgbackrest --stanza="$STANZA" --io-timeout=4 --log-level-console=off --log-level-stderr=off repo-ls --recurse "archive/$STANZA" 2>/dev/null) || return 0
  LC_ALL=C as_dbsu "$PG_BIN/pg_controldata" -D "$PG_DATA" 2>/dev/null | sed -n 's/^Bytes per WAL segment: *//p'
  printf '%s\n' "$kept" | sed -n 's#^\(.*/\)\{0,1\}\([0-9A-F]\{24\}\)-[0-9a-f]\{40\}.*$#\2#p' | sort -u | awk '
    function number(digits, at, sum) {
      for (at = 1; at <= length(digits); at++) sum = sum * 16 + index("0123456789ABCDEF", substr(digits, at, 1)) - 1
      return sum + 0
    }
    { prefix = substr($0, 1, 16); segment = number(substr($0, 17, 8)) }
    prefix == row && segment == last + 1 { last = segment; next }
    row != "" { print row, first, last }
    { row = prefix; first = last = segment }
    END { if (row != "") print row, first, last }'
}
