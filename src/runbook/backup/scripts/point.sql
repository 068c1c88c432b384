DO $point$
DECLARE
  at pg_lsn;
  wal text;
  line text;
  history text;
  until timestamptz := clock_timestamp() + interval '10 s';
BEGIN
  PERFORM set_config('lock_timeout', '5s', true);
  IF '@LOCKS@' = 'yes' AND to_regclass('pg_catalog.pg_dist_transaction') IS NOT NULL THEN
    LOCK TABLE pg_catalog.pg_dist_node IN EXCLUSIVE MODE;
    LOCK TABLE pg_catalog.pg_dist_partition, pg_catalog.pg_dist_transaction IN EXCLUSIVE MODE;
  END IF;
  COPY (SELECT 1) TO '@DIR@/locked';
  WHILE (pg_stat_file('@DIR@/go', true)).size IS NULL LOOP
    IF clock_timestamp() > until THEN RAISE EXCEPTION 'the other groups were not ready within 10 s: no record was written'; END IF;
    PERFORM pg_sleep(0.02);
  END LOOP;
  at := pg_create_restore_point('@NAME@');
  wal := pg_walfile_name(at);
  IF (pg_stat_file('pg_wal/' || substr(wal, 1, 8) || '.history', true)).size IS NOT NULL THEN
    history := pg_read_file('pg_wal/' || substr(wal, 1, 8) || '.history');
  END IF;
  line := json_build_object('cluster', '', 'system', (SELECT system_identifier::text FROM pg_control_system()),
    'timeline', ('x' || substr(wal, 1, 8))::bit(32)::int, 'lsn', at::text, 'wal', wal, 'at', extract(epoch FROM clock_timestamp())::bigint,
    'history', coalesce((SELECT json_agg(json_build_array(split_part(l, E'\t', 1)::int, split_part(l, E'\t', 2)))
      FROM regexp_split_to_table(history, E'\n') AS l WHERE l ~ E'^[0-9]+\t'), '[]'::json))::text;
  EXECUTE format('COPY (SELECT %L) TO %L (FORMAT text)', line, '@DIR@/made');
  until := clock_timestamp() + interval '10 s';
  WHILE (pg_stat_file('@DIR@/release', true)).size IS NULL LOOP
    IF clock_timestamp() > until THEN RAISE EXCEPTION 'the other groups did not write their records within 10 s: the point is not consistent'; END IF;
    PERFORM pg_sleep(0.02);
  END LOOP;
END $point$
