# Ends at once a server that has been asked to end: it would wait for standbys that are gone.
export CASE
(while sleep 0.5; do if pg_is_stopping; then pg_control -m immediate -t 20 stop; fi; done) >/dev/null 2>&1 & ending=$!
trap 'kill $ending 2>/dev/null || :' EXIT
