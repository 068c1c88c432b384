left=$(left) || { echo 'PostgreSQL does not answer'; false; }
[ "$left" = 0 ] || { echo "$left $WORDS"; false; }
