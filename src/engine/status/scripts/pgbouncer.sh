# PgBouncer in its own words. Needs `mark` and `pgbouncer_says`.
mark pgbouncer databases; pgbouncer_says 'SHOW DATABASES' 2>/dev/null
mark pgbouncer config; pgbouncer_says 'SHOW CONFIG' 2>/dev/null
mark pgbouncer files; cat /etc/pgbouncer/pgbouncer.ini /etc/pgbouncer/listen.ini 2>/dev/null
