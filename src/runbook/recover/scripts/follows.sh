# A member that is cloned anew says where its former data is.
real=$(readlink -f "$PG_DATA" 2>/dev/null || :)
kept=
[ ! -e "$real.diverged-$RUN" ] || kept=", its former data is kept as $real.diverged-$RUN"
said=$(sql postgres 'SELECT pg_is_in_recovery()' 2>&1) || { echo "PostgreSQL does not answer yet$kept"; false; }
case $said in
f) patroni_says leader || { echo 'it takes writes, and does not have the leader key'; false; } ;;
*) guard follows - "/pg/tmp/citusctl-mark-$RUN" ;;
esac
