\if :ours
\else
\echo
\echo :stranger
\echo :place
\quit
\endif
SELECT pg_catalog.pg_is_in_recovery() AS standby \gset
\if :standby
\quit
\endif
