[ "$(sql postgres 'SELECT pg_is_in_recovery()')" = f ] || { echo 'still in recovery'; false; }
[ -z "$(sql postgres 'SHOW synchronous_standby_names')" ] || { echo 'commits still wait for standbys'; false; }
[ "$(sql postgres "SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'citusctl_emergency'")" = 1 ] ||
  { echo 'there is no mark for members that come back'; false; }
