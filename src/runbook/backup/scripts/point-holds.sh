# Whether the session in the background has come so far. DIR and WANTED are given.
if [ ! -e "$DIR/$WANTED" ]; then
  if [ -e "$DIR/ended" ]; then tail -n 1 "$DIR.said"; else echo "not $WANTED yet"; fi
  false
fi
